"""Lines as text: deterministic, of known length, harmless on a terminal."""

import json

import numpy as np
import polars as pl
import pytest

from holdfast.formats.records import SCHEMA
from holdfast.kernel.names import Stream
from holdfast.rules import rendering

TIME = 1795132805_268412999
ROWS = [
    (1, TIME, 6, "h", "app", "12", "", b"hello\xff"),
    (1, TIME, 6, "h", "app", "", "", b"a\nb"),
    (1, 0, 6, "", "", "9", "", b""),
    (1, TIME, 6, "", "", "", '{"file":"a.log"}', b"as it came"),
    (1, TIME, 6, "h\u00e9", "p", "", '{"sd":"[x]"}', b"z"),
]


def table() -> pl.DataFrame:
    return pl.DataFrame(ROWS, schema=SCHEMA, orient="row")


def test_lines_have_time_host_tag_and_message() -> None:
    assert rendering.render(Stream.APP, table()).to_pylist() == [
        b"2026-11-20T00:00:05.268412Z h app[12]: hello\xff\n",
        b"2026-11-20T00:00:05.268412Z h app: a\nb\n",
        b"1970-01-01T00:00:00.000000Z - \n",
        b"as it came\n",
        "2026-11-20T00:00:05.268412Z h\u00e9 p: z\n".encode(),
    ]


def test_web_access_is_shown_as_it_came() -> None:
    assert rendering.render(Stream.WEB_ACCESS, table())[0].as_py() == b"hello\xff\n"


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_the_last_lines_of_a_table_in_many_pieces_are_shown(last: int) -> None:
    # What a reader who follows has: small batches end to end, all but the newest lines filtered out.
    pieces = pl.concat([pl.DataFrame(ROWS[:1] * many, schema=SCHEMA, orient="row") for many in (50, 1, 1, 1, 2)])
    newest = pieces.filter(pl.Series([i >= len(pieces) - last for i in range(len(pieces))]))

    assert len(rendering.render(Stream.APP, newest)) == last
    assert len(rendering.render_json(newest)) == last


def test_lengths_are_those_of_what_is_rendered() -> None:
    for stream in Stream:
        with_stream = table().with_columns(pl.lit(stream.value).alias("stream"))
        sizes = [len(line) for line in rendering.render(stream, table()).to_pylist()]
        assert np.array_equal(rendering.lengths(with_stream), sizes)


def test_json_lines_hold_every_field() -> None:
    lines = rendering.render_json(table()).to_pylist()
    assert all(line.endswith(b"}\n") for line in lines)
    first, second, *_, last = [json.loads(line) for line in lines]
    assert first == {
        "arrival": "1970-01-01T00:00:00.000000001Z",
        "time": "2026-11-20T00:00:05.268412999Z",
        "severity": 6,
        "host": "h",
        "program": "app",
        "procid": "12",
        "attributes": None,
        "message": "hello\ufffd",
        "message_base64": "aGVsbG//",
    }
    assert (second["message"], "message_base64" in second, last["attributes"]) == ("a\nb", False, {"sd": "[x]"})


def test_empty_tables_render_to_nothing() -> None:
    assert rendering.render(Stream.APP, table().head(0)).to_pylist() == []
    assert rendering.render_json(table().head(0)).to_pylist() == []


def test_nothing_acts_on_a_terminal() -> None:
    assert rendering.visible(b"a\x1b[31m\tb\r\n\xff\xc2\x9b\x7f\xe2\x80\xae \xc3\xa9") == (
        b"a\\x1b[31m\tb\\x0d\n\\xff\\x9b\\x7f\\u202e \xc3\xa9"
    )
