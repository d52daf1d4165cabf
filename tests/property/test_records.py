"""Records and web access lines: any table comes back, whatever bytes its messages hold."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.formats import layouts, records

TEXT = st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=8)
INSTANT = st.integers(-(2**63) + 1, 2**63 - 1)
ROW = st.tuples(INSTANT, INSTANT, st.integers(0, 7), TEXT, TEXT, TEXT, TEXT, st.binary(max_size=12))
PIECE = st.sampled_from(
    [
        b'"',
        b" ",
        b"-",
        b"[",
        b"]",
        b'" ',
        b' "',
        b"200",
        b"5",
        b"\\",
        b"\xff",
        b"[20/Nov/2026:11:00:00 +0100]",
        b"GET /",
    ]
)
PARTS = st.tuples(
    *(
        st.sampled_from([*usual, b"-", b"", b"a b", b'x"y', b"\\", b"\x80", b"0", b"007"])
        for usual in (
            [b"192.0.2.1"] * 9,
            [b"-"] * 9,
            [b"bo"] * 9,
            [b"20/Nov/2026:11:00:00", b"29/Feb/1900:00:00:59", b"01/Jan/0001:00:00:00", b"31/Dec/9999:23:59:59"] * 3,
            [b"+0100", b"-0330"] * 5,
            [b"GET / HTTP/1.1"] * 9,
            [b"200", b"404"] * 5,
            [b"5", b"123456"] * 5,
            [b"http://a.example/"] * 9,
            [b"curl/8 (x; y)"] * 9,
            [b"", b' "tail"'] * 5,
        )
    )
)
WEB = st.one_of(
    PARTS.map(lambda parts: b'%b %b %b [%b %b] "%b" %b %b "%b" "%b"%b' % parts), st.lists(PIECE).map(b"".join)
)


@given(st.lists(ROW, max_size=6))
def test_a_table_of_records_comes_back_from_its_bytes(rows: list[tuple[object, ...]]) -> None:
    table = pl.DataFrame(rows, schema=records.SCHEMA, orient="row")
    encoded = [line.as_py() for line in records.encode(table)]
    lengths = np.array([len(line) for line in encoded], np.int64)
    assert records.decode(b"".join(encoded), lengths).equals(table)
    assert [records.record_bytes(records.parse_record(line)) for line in encoded] == encoded


@settings(max_examples=300)
@given(st.lists(st.tuples(WEB, INSTANT), max_size=5))
def test_web_lines_come_back_from_their_columns(lines: list[tuple[bytes, int]]) -> None:
    messages = pl.Series("message", [message for message, _ in lines], dtype=pl.Binary)
    times = pl.Series("time", [time for _, time in lines], dtype=pl.Int64)
    table = pl.DataFrame({**layouts.split(messages, times), "time": times})
    assert layouts.join(table).to_list() == messages.to_list()
