"""The whole way from bytes to minimised lines and back, over every real log there is among the demo's data."""

from pathlib import Path

import polars as pl
import pytest

import holdfast.demo
from holdfast.formats.lines import split
from holdfast.formats.syslog.parsing import file_lines, parse
from holdfast.rules import rendering
from holdfast.rules.guard import minimise, reveal
from holdfast.rules.streams import environments, streams

NOW = 1_795_132_800 * 10**9
DATA = Path(holdfast.demo.__file__).parent / "data"
FILES = sorted(path for path in DATA.rglob("*") if path.is_file() and path.name not in ("LICENSE", "README.md"))
KEYS = {"": bytes(range(32))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_minimising_again_what_was_revealed_gives_the_same_lines(path: Path) -> None:
    lines = split(path.read_bytes())
    for table in (parse(lines, NOW), file_lines(lines, NOW, path.name)):
        once = minimise(streams(environments(table, {})), KEYS).table
        clear = reveal(once, KEYS)
        assert rendering.lengths(clear).tolist() == once["clear_bytes"].to_list()
        again = minimise(clear, KEYS).table
        assert again["message"].equals(once["message"])
        assert again["attributes"].equals(once["attributes"])


def test_real_sshd_lines_are_all_ssh_access() -> None:
    lines = split((DATA / "crowdsec-hub/tests/sshd-logs/sshd-logs.log").read_bytes())
    table = streams(parse(lines, NOW))
    assert len(table) > 20
    assert table["stream"].unique().to_list() == ["ssh-access"]
    assert table["host"].min() != ""


def test_no_client_of_ten_thousand_access_lines_keeps_its_address() -> None:
    lines = split((DATA / "elastic-examples/Common Data Formats/apache_logs/apache_logs").read_bytes())
    table = streams(environments(file_lines(lines, NOW, "apache_logs"), {}))
    assert table["stream"].value_counts().rows() == [("web-access", 10_000)]
    client = r"^(\S+)"
    before = table["message"].cast(pl.String).str.extract(client)
    after = minimise(table, KEYS).table["message"].cast(pl.String).str.extract(client)
    assert (before != after).all()
    assert before.n_unique() == after.n_unique()
    assert after.str.contains(r"^(?:\d{1,3}\.){3}\d{1,3}$").all()
