"""Records ⇄ bytes (formats, Line): eight fields joined by 0x1F, the message last and free to hold any byte.

    arrival_ns ‖ 1F ‖ time_ns ‖ 1F ‖ severity ‖ 1F ‖ host ‖ 1F ‖ program ‖ 1F ‖ procid ‖ 1F ‖ attributes ‖ 1F ‖ message

Whole tables at a time; `Record` is one of them taken out, for proofs and people.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant

SEPARATOR = b"\x1f"
_SEPARATOR = pa.scalar(SEPARATOR, pa.large_binary())

SCHEMA = pl.Schema(
    {
        "arrival": pl.Int64,
        "time": pl.Int64,
        "severity": pl.UInt8,
        "host": pl.String,
        "program": pl.String,
        "procid": pl.String,
        "attributes": pl.String,
        "message": pl.Binary,
    }
)
"""A table of records: what parsers make, the guard minimises, readers render."""

_NUMBER = re.compile(rb"(?:0|[1-9][0-9]{0,18}|-[1-9][0-9]{0,18})\Z")
_SEVERITY = re.compile(rb"[0-7]\Z")


@dataclass(frozen=True, slots=True)
class Record:
    """One line after minimisation. Times in nanoseconds since the epoch, UTC."""

    arrival: Instant
    time: Instant
    severity: int
    host: str
    program: str
    procid: str
    attributes: str
    message: bytes


def encode(table: pl.DataFrame) -> pa.LargeBinaryArray:
    """The record bytes of every row (columns of SCHEMA, no nulls), in order."""
    parts: list[str | pl.Series] = []
    for name in SCHEMA.names()[:-1]:
        parts += [table[name], "\x1f"]
    try:
        # Most messages are UTF-8, and one pass over text is much cheaper than two over bytes.
        whole = concatenated([*parts, table["message"].cast(pl.String)])
        return whole.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.large_binary())
    except pl.exceptions.PolarsError:
        heads = concatenated(parts[:-1])
    return pc.binary_join_element_wise(
        heads.to_arrow().cast(pa.large_binary()), table["message"].to_arrow().cast(pa.large_binary()), _SEPARATOR
    )


def concatenated(parts: Sequence[str | pl.Series]) -> pl.Series:
    """Texts and columns (text or numbers, no nulls, at least one column) joined row by row. A column that says the
    same in every row costs nothing."""
    folded: list[str | pl.Series] = []
    for part in parts:
        if isinstance(part, pl.Series) and len(part) and (part[0] == part[-1]) and (part == part[0]).all():
            part = str(part[0])
        if isinstance(part, str) and folded and isinstance(folded[-1], str):
            folded[-1] += part
        else:
            folded.append(part)
    count = max(len(part) for part in parts if isinstance(part, pl.Series))
    if len(folded) == 1 and isinstance(folded[0], str):
        return pl.repeat(folded[0], count, dtype=pl.String, eager=True)
    return pl.select(pl.concat_str([pl.lit(part) for part in folded]).alias("joined"))["joined"]


def decode(data: bytes, lengths: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The table of records laid end to end. MalformedError if a record does not have its fields."""
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    if offsets[-1] != len(data):
        raise MalformedError("record-lengths", "the lengths of the records do not add up to their bytes")
    buffer = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(buffer == 0x1F)
    # The first seven separators at or after each record's start; later ones belong to its message.
    first = np.searchsorted(marks, offsets[:-1])
    if len(lengths) and (len(marks) < 7 or first.max() + 7 > len(marks)):
        raise MalformedError("record-fields", "a record does not have eight fields")
    cuts = marks[first[:, None] + np.arange(7)[None, :]] if len(lengths) else np.zeros((0, 7), np.int64)
    if len(lengths) and bool((cuts[:, 6] >= offsets[1:]).any()):
        raise MalformedError("record-fields", "a record does not have eight fields")
    try:
        series: list[pl.Series] = []
        for place, (name, kind) in enumerate(SCHEMA.items()):
            starts = cuts[:, place - 1] + 1 if place else offsets[:-1]
            ends = cuts[:, place] if place < 7 else offsets[1:]
            series.append(_column(data, buffer, starts, ends, kind).alias(name))
        return pl.DataFrame(series, schema=SCHEMA)
    except (UnicodeDecodeError, pa.ArrowInvalid, pl.exceptions.PolarsError):
        raise MalformedError("record-fields", "a record's numbers or text do not read") from None


def _column(
    data: bytes,
    buffer: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    kind: pl.DataType,
) -> pl.Series:
    if kind == pl.Binary:
        return pl.Series(slices(data, starts, ends))
    if uniform(buffer, starts, ends):
        value = bytes(data[starts[0] : ends[0]]).decode()
        return pl.Series([value]).cast(kind).new_from_index(0, len(starts))
    return pl.Series(slices(data, starts, ends).cast(pa.large_string())).cast(kind)


def uniform(
    buffer: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], most: int = 40
) -> bool:
    """Whether these spans all say the same, in at most so many bytes: then they need not be cut out one by one."""
    if len(starts) == 0:
        return False
    begin, width = int(starts[0]), int(ends[0] - starts[0])
    last = buffer[starts[-1] : ends[-1]]
    if width > most or not np.array_equal(buffer[begin : begin + width], last) or (ends - starts != width).any():
        return False
    windows = np.lib.stride_tricks.sliding_window_view(buffer, width)[starts] if width else np.zeros((1, 0), np.uint8)
    return bool((windows == last).all())


def slices(data: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> pa.LargeBinaryArray:
    """The byte strings `data[starts[i]:ends[i]]` (ascending, not overlapping) as one array."""
    offsets = np.empty(2 * len(starts) + 1, np.int64)
    offsets[0:-1:2] = starts
    offsets[1::2] = ends
    offsets[-1] = ends[-1] if len(ends) else 0
    both = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2 * len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    return both.take(pa.array(np.arange(0, 2 * len(starts), 2)))


def column_bytes(column: pl.Series) -> tuple[bytes, npt.NDArray[np.int64]]:
    """A Binary column (no nulls) end to end, and its n + 1 offsets, from 0."""
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.large_binary())
    return array_bytes(array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array)


def array_bytes(array: pa.LargeBinaryArray) -> tuple[bytes, npt.NDArray[np.int64]]:
    """An array (no nulls) end to end, and its n + 1 offsets, from 0: what `slices` was given."""
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, array.offset * 8)
    begin, end = int(offsets[0]), int(offsets[-1])
    data = array.buffers()[2]
    return data.slice(begin, end - begin).to_pybytes() if end > begin else b"", offsets - begin


def parse_record(data: bytes) -> Record:
    """One record, strictly. MalformedError for anything `encode` does not write."""
    fields = data.split(SEPARATOR, 7)
    if len(fields) != 8 or not (_NUMBER.match(fields[0]) and _NUMBER.match(fields[1]) and _SEVERITY.match(fields[2])):
        raise MalformedError("record-fields", "a record does not have its eight fields")
    try:
        host, program, procid, attributes = (field.decode() for field in fields[3:7])
    except UnicodeDecodeError:
        raise MalformedError("record-text", "a record's text fields are not UTF-8") from None
    return Record(
        Instant(int(fields[0])), Instant(int(fields[1])), int(fields[2]), host, program, procid, attributes, fields[7]
    )


def record_bytes(record: Record) -> bytes:
    """The bytes of one record."""
    texts: Sequence[str] = (
        str(record.arrival),
        str(record.time),
        str(record.severity),
        record.host,
        record.program,
        record.procid,
        record.attributes,
    )
    return b"\x1f".join([text.encode() for text in texts] + [record.message])
