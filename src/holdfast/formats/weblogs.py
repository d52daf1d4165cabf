"""Web servers' access lines, told by their form, many at a time.

Understood: the common and combined formats of nginx, Apache, Traefik and Caddy (with or without a virtual host before
them), haproxy's HTTP log, and the JSON access lines of Caddy, Traefik and nginx. Told from the line alone, and never by
what an address in it is, so that a line reads the same before and after its addresses were replaced.
"""

import re
from itertools import islice

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.formats.records import array_bytes, column_bytes, slices
from holdfast.formats.scanning import Bytes, Mask, Offsets, columns, positions

_HAPROXY = (
    r"^[^ ]+:[0-9]+ \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:.]+\] [^ ]+ [^ ]+/[^ ]+ "
    r"(?:[-+0-9]+/)+[-+0-9]+ (?:-1|[0-9]{3}) "
)
_QUOTE = re.compile(rb'(?<!\\)"')
_FAR = np.iinfo(np.int64).max
_JSON_KEYS = (
    (b'"http.log.access',),
    (b'"ClientAddr"', b'"RequestMethod"'),
    (b'"status"', b'"request'),
    (b'"status"', b'"remote_addr"'),
)
"""Caddy; Traefik; nginx's usual hand-written formats. One whole group must occur in the line."""


def clf_times(buffer: Bytes, offsets: Offsets) -> Offsets:
    """Where the `[` of `[dd/Mon/yyyy:hh:mm:ss +zzzz]` stands in each row; -1 if the row's first `[` opens no such
    time."""
    starts, ends = offsets[:-1], offsets[1:]
    opening = np.append(positions(buffer, 0x5B), _FAR)
    at = opening[np.searchsorted(opening[:-1], starts)]
    rows = np.flatnonzero(at + 28 <= ends)
    found = np.full(len(starts), -1, np.int64)
    if len(rows):
        cells = columns(buffer, at[rows], 28)
        good = np.ones(len(rows), np.bool_)
        for column, byte in ((3, 0x2F), (7, 0x2F), (12, 0x3A), (15, 0x3A), (18, 0x3A), (21, 0x20), (27, 0x5D)):
            good &= cells[column] == byte
        found[rows[good]] = at[rows[good]]
    return found


def access_lines(messages: pl.Series, asked: Mask) -> Mask:
    """Which rows of a Binary column, of those asked about, are access lines."""
    data, offsets = column_bytes(messages)
    found = asked & (clf_times(np.frombuffer(data, np.uint8), offsets) >= 0)
    rest = np.flatnonzero(asked & ~found)
    if len(rest):
        found[rest] = _others(messages.gather(pl.Series(rest)))
    return found


def _others(messages: pl.Series) -> Mask:
    """haproxy's and JSON access lines."""
    table = pl.DataFrame({"m": messages})
    column = pl.col("m").bin
    keys = pl.any_horizontal(pl.all_horizontal(column.contains(key) for key in group) for group in _JSON_KEYS)
    found = np.zeros(len(messages), np.bool_)
    json = table.select(column.starts_with(b"{")).to_series().to_numpy()
    rows = np.flatnonzero(json)
    if len(rows):
        found[rows] = table[rows].select(keys).to_series().to_numpy()
    rows = np.flatnonzero(table.select(~column.starts_with(b"{") & column.contains(b"] ")).to_series().to_numpy())
    if len(rows):
        array = messages.gather(pl.Series(rows)).to_arrow().cast(pa.large_binary())
        found[rows] = pc.match_substring_regex(array, _HAPROXY).to_numpy(zero_copy_only=False)
    return found


def user_agents(buffer: bytes, offsets: Offsets, rows: Offsets) -> tuple[Offsets, Offsets]:
    """The spans of the user agent (between its quotes) of those rows that are combined-format lines; empty elsewhere.

    The third quoted field, after `] "request" status bytes "referer" `; quotes escaped by a backslash do not count.
    """
    # Their rows alone, end to end: most lines are not asked about.
    asked, which = np.unique(rows, return_inverse=True)
    parts = slices(buffer, offsets[asked], offsets[asked + 1])
    some, bounds = array_bytes(parts)
    agents = _agents(np.frombuffer(some, np.uint8), bounds)
    shift = offsets[asked] - bounds[:-1]
    return (agents[0] + shift)[which], (agents[1] + shift)[which]


def _agents(buffer: Bytes, offsets: Offsets) -> tuple[Offsets, Offsets]:
    quotes = positions(buffer, 0x22)
    starts, ends = offsets[:-1], offsets[1:]
    padded = np.concatenate((quotes, np.full(6, _FAR)))
    marks = padded[np.searchsorted(quotes, starts)[:, None] + np.arange(6)]
    escaped = (buffer.take(marks - 1, mode="clip") == 0x5C) & (marks > starts[:, None]) & (marks < ends[:, None])
    for row in np.flatnonzero(escaped.any(1)).tolist():
        line = buffer[starts[row] : ends[row]].tobytes()
        found = [int(starts[row]) + quote.start() for quote in islice(_QUOTE.finditer(line), 6)]
        marks[row] = found + [_FAR] * (6 - len(found))
    good = marks[:, 5] < ends
    marks = np.where(good[:, None], marks, 0)

    def byte(column: int, distance: int) -> Bytes:
        return buffer.take(marks[:, column] + distance, mode="clip")

    good &= (byte(0, -1) == 0x20) & (byte(0, -2) == 0x5D)
    good &= (byte(1, 1) == 0x20) & (byte(1, 5) == 0x20) & (byte(2, -1) == 0x20)
    for distance in (2, 3, 4):
        good &= (byte(1, distance) - np.uint8(48)) < 10
    good &= (byte(3, 1) == 0x20) & (marks[:, 4] == marks[:, 3] + 2)
    return np.where(good, marks[:, 4] + 1, starts), np.where(good, marks[:, 5], starts)
