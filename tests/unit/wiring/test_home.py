import os
import shutil
from pathlib import Path

import pytest

from holdfast.kernel.errors import ConfigurationError, ConflictError, HoldfastError
from holdfast.wiring.home import Home
from holdfast.wiring.initialising import initialise


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home just made, to be copied: making one takes a second."""
    home = Home.at(tmp_path_factory.mktemp("made") / "home")
    initialise(home, nodes={"n1": "aws/eu-west-1", "n2": "azure/westeurope"})
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    """A home of the test's own."""
    return Home.at(shutil.copytree(made.root, tmp_path / "home"))


def test_a_new_home_opens_and_is_its_owners_alone(home: Home) -> None:
    settings = home.open()
    assert settings.node_names() == ["n1", "n2"]
    for path in (home.root, home.keys, home.run):
        assert path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in home.keys.iterdir()} == {0o600}
    assert set(home.stores(settings)) == {"aws-eu-west-1", "azure-westeurope"}


def test_a_home_is_not_made_over_another_one(home: Home) -> None:
    before = home.gateway_host_key.read_bytes()
    with pytest.raises(ConflictError):
        initialise(home)
    assert home.gateway_host_key.read_bytes() == before


def test_an_empty_folder_becomes_a_home(tmp_path: Path) -> None:
    initialise(Home.at(tmp_path))
    assert Home.at(tmp_path).open().installation == "holdfast.localhost"


def test_a_home_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        initialise(Home.at(tmp_path / "home"), installation="not a name")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [".", "keys", "run", "keys/master.key", "keeper/epochs/00000001.epoch"])
def test_loose_permissions_refuse_with_the_command_that_mends_them(home: Home, place: str) -> None:
    path = home.root / place
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(ConfigurationError) as caught:
        home.open()
    assert caught.value.code == "loose-permissions"
    program, mode, file = str(caught.value.fields["type"]).split(" ")
    assert program == "chmod"
    Path(file).chmod(int(mode, 8))
    home.open()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_somebody_else_refuses(home: Home) -> None:
    os.chown(home.gateway_host_key, 12345, -1)
    with pytest.raises(ConfigurationError) as caught:
        home.open()
    assert caught.value.code == "wrong-owner"


def test_a_link_in_place_of_the_keys_refuses(home: Home, tmp_path: Path) -> None:
    home.keys.rename(tmp_path / "elsewhere")
    home.keys.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError) as caught:
        home.open()
    assert caught.value.code == "not-in-home"


def test_where_there_is_no_home_init_is_named(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="holdfast init"):
        Home.at(tmp_path / "nowhere").open()
