"""Records: eight fields, the message last and free to hold any byte."""

import numpy as np
import polars as pl
import pytest

from holdfast.formats import records
from holdfast.formats.records import Record
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant

RECORD = Record(Instant(1_795_176_000_000_000_000), Instant(-5), 6, "wéb", "nginx", "", "", b"a\x1fb\xff\x00")


def decode(*lines: bytes) -> pl.DataFrame:
    return records.decode(b"".join(lines), np.array([len(line) for line in lines], np.int64))


def test_one_record_and_a_table_of_it_are_the_same_bytes() -> None:
    data = records.record_bytes(RECORD)
    assert data == b"1795176000000000000\x1f-5\x1f6\x1fw\xc3\xa9b\x1fnginx\x1f\x1f\x1fa\x1fb\xff\x00"
    assert records.parse_record(data) == RECORD
    assert [line.as_py() for line in records.encode(decode(data, data))] == [data, data]


def test_no_records_are_a_table_without_rows() -> None:
    assert decode().equals(pl.DataFrame(schema=records.SCHEMA))
    assert len(records.encode(decode())) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1\x1f2\x1f6\x1fh\x1fp\x1f\x1f",
        b"+1\x1f2\x1f6\x1fh\x1fp\x1f\x1f\x1fm",
        b"01\x1f2\x1f6\x1fh\x1fp\x1f\x1f\x1fm",
        b"1\x1f\x1f6\x1fh\x1fp\x1f\x1f\x1fm",
        b"1\x1f2\x1f8\x1fh\x1fp\x1f\x1f\x1fm",
        b"1\x1f2\x1f6\x1f\xff\x1fp\x1f\x1f\x1fm",
        b"99999999999999999999\x1f2\x1f6\x1fh\x1fp\x1f\x1f\x1fm",
    ],
)
def test_anything_else_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        records.parse_record(data)


@pytest.mark.parametrize(
    "data",
    [b"1\x1f2\x1f6\x1fh\x1fp\x1f\x1f", b"x\x1f2\x1f6\x1fh\x1fp\x1f\x1f\x1fm", b"1\x1f2\x1f6\x1f\xff\x1fp\x1f\x1f\x1f"],
)
def test_a_table_does_not_take_a_record_without_its_fields(data: bytes) -> None:
    with pytest.raises(MalformedError, match="record-fields"):
        decode(records.record_bytes(RECORD), data)
    with pytest.raises(MalformedError, match="record-lengths"):
        records.decode(records.record_bytes(RECORD), np.array([3], np.int64))
