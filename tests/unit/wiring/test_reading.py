from pathlib import Path

import pytest

from holdfast.kernel.errors import ConfigurationError
from holdfast.wiring.reading import read_settings

BASE = 'installation = "logs.example"\n\n[nodes.n1]\nhosting = "aws/eu-west-1"\n'


def wrong(tmp_path: Path, text: str, **environ: str) -> dict[str, str | int]:
    """The fields of the error that these settings make; the place without its folder."""
    file = tmp_path / "holdfast.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(file, environ)
    fields = {name: value for name, value in caught.value.fields.items() if name in ("setting", "place", "allowed")}
    return fields | {"place": str(fields.get("place", "")).removeprefix(f"{tmp_path}/")}


def test_few_words_are_enough_and_everything_listens_on_loopback(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text(BASE)
    settings = read_settings(tmp_path / "holdfast.toml", {})
    assert {listener.address for _, listener in settings.listeners()} == {"127.0.0.1"}
    assert (settings.nodes["n1"].place.vendor, settings.nodes["n1"].place.region) == ("aws", "eu-west-1")


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text(BASE + "[gateway]\nport = 22\n[nodes.node-a]\nhosting = 'a/b'\n")
    environ = {
        "HOLDFAST_GATEWAY__PORT": "2022",
        "HOLDFAST_NODES__NODE_A__SYSLOG__PORT": "6514",
        "HOLDFAST_NODES__NODE_A__HTTP__PORT": "6580",
        "HOLDFAST_SEALING__SECONDS": "2.5",
        "HOLDFAST_HOME": "/somewhere",
    }
    settings = read_settings(tmp_path / "holdfast.toml", environ)
    assert settings.gateway.port == 2022
    assert settings.nodes["node-a"].syslog.port == 6514
    assert settings.sealing.seconds == 2.5


@pytest.mark.parametrize(
    ("added", "setting", "line", "allowed"),
    [
        ("[gateway]\nport = 70000", "gateway.port", 6, "a number of at most 65535"),
        ('[gateway]\nport = "22"', "gateway.port", 6, "a whole number"),
        ('[gateway]\n# why\n\naddress = "host"', "gateway.address", 8, "an IP address, like 127.0.0.1 or ::1"),
        ("[gateway]\nprot = 22", "gateway.prot", 6, "nothing: there is no such setting"),
        ("[nodes.n2]\nhosting = '1a/b'", "nodes.n2.hosting", 6, "a vendor and a region, like aws/eu-west-1"),
        ("[nodes.n2]\nsyslog.port = 1", "nodes.n2.hosting", 5, None),
        ("[nodes.keeper]\nhosting = 'a/b'", "nodes.keeper", 5, "a lower case word like n1, and not keeper"),
        ("sealing = { bytes = 1 }", "nodes.n1.sealing", 5, "nothing: there is no such setting"),
    ],
)
def test_a_wrong_setting_names_its_key_its_line_and_what_is_allowed(
    tmp_path: Path, added: str, setting: str, line: int, allowed: str | None
) -> None:
    fields = wrong(tmp_path, BASE + added + "\n")
    assert (fields["setting"], fields["place"]) == (setting, f"holdfast.toml:{line}")
    assert allowed is None or fields["allowed"] == allowed


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("HOLDFAST_GATEWAY__PORT", "0x16", "gateway.port"),
        ("HOLDFAST_GATEWAY__PORT", "+22", "gateway.port"),
        ("HOLDFAST_GATEWAY__PORT", "0", "gateway.port"),
        ("HOLDFAST_GATEWAY__PROT", "22", "gateway.prot"),
        ("HOLDFAST_GATEWAY", "22", "gateway"),
        ("HOLDFAST_GATEWAY__PORT__X", "22", "gateway.port.x"),
        ("HOLDFAST_MASTER_KEY", "secret", "master_key"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    tmp_path: Path, name: str, value: str, setting: str
) -> None:
    fields = wrong(tmp_path, BASE, **{name: value})
    assert (fields["setting"], fields["place"]) == (setting, f"variable {name}")
    assert value not in str(fields["allowed"]) or value == "0"


def test_no_value_of_a_file_is_ever_repeated(tmp_path: Path) -> None:
    file = tmp_path / "holdfast.toml"
    for text in (
        BASE + "[gateway]\naddress = 's3cret'\n",
        BASE + "[gateway]\nport = 's3cret'\n",
        BASE.replace("logs.example", "s3cret!"),
        BASE + "[stores]\n's3cret' = 1\n" + "x = s3cret\n",
    ):
        file.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            read_settings(file, {})
        assert "s3cret" not in str(caught.value)


def test_two_listeners_do_not_share_a_port(tmp_path: Path) -> None:
    fields = wrong(tmp_path, BASE + "[nodes.n2]\nhosting = 'azure/westeurope'\n")
    assert "127.0.0.1:5514" in str(fields["allowed"])


def test_two_hostings_do_not_share_a_store(tmp_path: Path) -> None:
    text = "installation = 'a.b'\n[nodes.n1]\nhosting = 'a-b/c'\n[nodes.n2]\nhosting = 'a/b-c'\n"
    text += "syslog.port = 1\nhttp.port = 2\n"
    assert "differ" in str(wrong(tmp_path, text)["allowed"])


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    file = tmp_path / "holdfast.toml"
    file.write_text("installation = \n")
    with pytest.raises(ConfigurationError) as caught:
        read_settings(file, {})
    assert caught.value.code == "settings-file"
    assert "line 1" in str(caught.value.fields["where"])
