"""Where the fields of many lines lie in one buffer, and how they become columns.

A span is a pair of offset arrays (starts, ends), one entry per line, ascending; an absent field is an empty span. Text
made here follows formats, Line: invalid UTF-8 becomes U+FFFD and 0x1F a space; a message keeps its bytes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from holdfast.formats.lines import Lines, Offsets
from holdfast.formats.records import slices
from holdfast.formats.scanning import Mask

Span = tuple[Offsets, Offsets]


@dataclass(frozen=True, slots=True)
class Fields:
    """What a dialect found in its lines. `facility` is -1 where the line has none; `pri` and `timestamp` hold the
    text of what could not be understood, so that nothing is lost."""

    time: npt.NDArray[np.int64]
    severity: npt.NDArray[np.uint8]
    facility: npt.NDArray[np.int64]
    host: Span
    program: Span
    procid: Span
    msgid: Span
    data: Span
    pri: Span
    timestamp: Span
    message: Span


def compact(lines: Lines) -> Lines:
    """The same lines over a buffer that holds little else, so that a scan of the buffer is a scan of the lines."""
    size = int((lines.ends - lines.starts).sum())
    if size * 2 > len(lines.buffer):
        return lines
    array = slices(lines.buffer, lines.starts, lines.ends)
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, array.offset * 8)
    data = array.buffers()[2]
    return Lines(data.to_pybytes() if data is not None else b"", offsets[:-1], offsets[1:])


def only(span: Span, mask: Mask) -> Span:
    """The span where the mask holds, and nothing elsewhere."""
    starts, ends = span
    return starts, np.where(mask, ends, starts)


def present(span: Span) -> Mask:
    """Which lines have something there."""
    return np.asarray(span[1] > span[0])


def texts(buffer: bytes, span: Span) -> pl.Series:
    """The field as text."""
    array = slices(buffer, *span)
    try:
        column = pl.Series(array.cast(pa.large_string()))
    except pa.ArrowInvalid:
        column = pl.Series([value.decode("utf-8", "replace") for value in array.to_pylist()], dtype=pl.String)
    if b"\x1f" in buffer:
        column = column.str.replace_all("\x1f", " ", literal=True)
    return column


def messages(buffer: bytes, span: Span) -> pl.Series:
    """The field as it came."""
    return pl.Series(slices(buffer, *span))


def next_marks(marks: Offsets, at: Offsets, count: int, ends: Offsets) -> Offsets:
    """The positions of the first `count` marks at or after `at`, shape (count, lines); the line's end where there is
    none in the line. `marks` ascends."""
    padded = np.concatenate((marks, np.full(count, np.iinfo(np.int64).max)))
    first = np.searchsorted(marks, at)
    found = np.empty((count, len(at)), np.int64)
    for index in range(count):
        np.minimum(padded.take(first + index), ends, out=found[index])
    return found
