"""The guard replaces addresses under the environment's key, measures both forms, and can be undone with the key."""

import polars as pl
import pytest

from holdfast.formats.records import SCHEMA
from holdfast.kernel.errors import BusyError
from holdfast.rules import rendering
from holdfast.rules.guard import MinimisedTable, minimise, reveal

KEYS = {"a/main": bytes(range(32)), "b/main": bytes(range(1, 33))}
ROWS = [
    (b"Failed for root from 192.0.2.1 port 22", "", "a/main"),
    (b"Failed for root from 192.0.2.1 port 22", "", "b/main"),
    (b"from 2001:db8::1 and 192.0.2.1, 192.0.2.1", '{"facility":"1","sd":"[o ip=\\"192.0.2.1\\"]"}', "a/main"),
    (b"nothing", '{"file":"192.0.2.1.log"}', "c/none"),
    (b"", "", "a/main"),
    (b"[2001:0DB8:0::0001]:1", "", "b/main"),
]


def table() -> pl.DataFrame:
    rows = [(1, 1, 6, "h", "p", "", attributes, message, env, "app") for message, attributes, env in ROWS]
    schema = {**SCHEMA, "environment": pl.String, "stream": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_no_address_is_left_and_equal_ones_of_an_environment_stay_equal() -> None:
    found = minimise(table(), KEYS).table
    assert not any(b"192.0.2.1" in message or b"db8" in message.lower() for message in found["message"])
    assert "192.0.2.1" not in "".join(found["attributes"][:3])
    words = [message.decode().replace(",", "").split() for message in found["message"]]
    assert words[0][4] == words[2][3] == words[2][4] == found["attributes"][2].split('\\"')[1]
    assert words[0][4] != words[1][4]
    assert found["attributes"][3] == '{"file":"192.0.2.1.log"}'


def test_revealed_lines_have_canonical_addresses_and_the_length_foretold() -> None:
    found = minimise(table(), KEYS).table
    clear = reveal(found, KEYS)
    assert clear["message"].to_list() == [*[row[0] for row in ROWS[:5]], b"[2001:db8::1]:1"]
    assert clear["attributes"].to_list() == [row[1] for row in ROWS]
    assert rendering.lengths(found).tolist() == found["text_bytes"].to_list()
    assert rendering.lengths(clear).tolist() == found["clear_bytes"].to_list()


def test_without_its_key_a_line_with_an_address_is_not_taken() -> None:
    with pytest.raises(BusyError):
        minimise(table(), {"a/main": KEYS["a/main"]})


def test_only_the_guard_makes_a_minimised_table() -> None:
    with pytest.raises(TypeError):
        MinimisedTable(table(), object())


def test_an_empty_table_is_minimised() -> None:
    assert len(minimise(table().head(0), {})) == 0
