"""Raw lines → the table of records (formats.records.SCHEMA), whole batches at a time.

`parse` understands RFC 5424 and the many shapes of RFC 3164 (one module each); nothing of a line is lost: what has no
column goes to `attributes` (see attributes.py), what is not understood stays in `message`. `file_lines` takes lines
of a file as they are. Neither ever refuses a line: bytes without sense are a message without a sender.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from holdfast.formats import canonical
from holdfast.formats.lines import Lines
from holdfast.formats.records import SCHEMA
from holdfast.formats.scanning import positions, view
from holdfast.formats.syslog import attributes, pri, rfc3164, rfc5424
from holdfast.formats.syslog.spans import Fields, compact, messages, texts
from holdfast.kernel.instants import Instant

INFORMATIONAL = 6

Arrival = Instant | int | npt.NDArray[np.int64]


def parse(lines: Lines, arrival: Arrival) -> pl.DataFrame:
    """The records of syslog frames, in order. `arrival` in nanoseconds since the epoch, one for all or one per line."""
    if not len(lines):
        return pl.DataFrame(schema=SCHEMA)
    lines = compact(lines)
    arrivals = np.broadcast_to(np.asarray(arrival, np.int64), (len(lines),))
    prefix = pri.parse(lines)
    spaces = positions(view(lines.buffer), 0x20)
    modern, cuts = rfc5424.recognised(lines, spaces, prefix)
    if modern.all():
        return _table(lines.buffer, rfc5424.parse(lines, cuts, prefix, arrivals), arrivals)
    tables, order = [], []
    for mask, is_modern in ((modern, True), (~modern, False)):
        rows = np.flatnonzero(mask)
        if not len(rows):
            continue
        part = Lines(lines.buffer, lines.starts[rows], lines.ends[rows])
        if is_modern:
            fields = rfc5424.parse(part, cuts[:, rows], prefix.take(rows), arrivals[rows])
        else:
            part = compact(part)
            fields = rfc3164.parse(part, pri.parse(part), arrivals[rows])
        tables.append(_table(part.buffer, fields, arrivals[rows]))
        order.append(rows)
    if len(tables) == 1:
        return tables[0]
    place = np.empty(len(lines), np.int64)
    place[np.concatenate(order)] = np.arange(len(lines))
    return pl.concat(tables)[place]


def file_lines(lines: Lines, arrival: Arrival, file_name: str) -> pl.DataFrame:
    """The records of a file's lines: the message as it stands, the file's base name in `attributes`, time of
    arrival."""
    count = len(lines)
    arrivals = np.broadcast_to(np.asarray(arrival, np.int64), (count,))
    lines = compact(lines)
    attribute = canonical.dump({"file": file_name.replace("\x1f", " ")}).decode()
    return pl.DataFrame(
        {
            "arrival": arrivals,
            "time": arrivals,
            "severity": pl.repeat(INFORMATIONAL, count, dtype=pl.UInt8, eager=True),
            "host": pl.repeat("", count, dtype=pl.String, eager=True),
            "program": pl.repeat("", count, dtype=pl.String, eager=True),
            "procid": pl.repeat("", count, dtype=pl.String, eager=True),
            "attributes": pl.repeat(attribute, count, dtype=pl.String, eager=True),
            "message": messages(lines.buffer, (lines.starts, lines.ends)),
        },
        schema=SCHEMA,
    )


def _table(buffer: bytes, fields: Fields, arrivals: npt.NDArray[np.int64]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "arrival": arrivals,
            "time": fields.time,
            "severity": fields.severity,
            "host": texts(buffer, fields.host),
            "program": texts(buffer, fields.program),
            "procid": texts(buffer, fields.procid),
            "attributes": attributes.column(buffer, fields),
            "message": messages(buffer, fields.message),
        },
        schema=SCHEMA,
    )
