"""RFC 5424 lines, many at a time: `<PRI>1 TIMESTAMP HOST APP PROCID MSGID SD MSG`.

Structured data that is not well formed, or holds control characters, is not structured data: it stays at the head of
the message, and the header before it still counts. A byte order mark at the start of MSG stays where it is.
"""

import itertools

import numpy as np
import pyarrow.compute as pc

from holdfast.formats.lines import Lines, Offsets
from holdfast.formats.records import slices
from holdfast.formats.scanning import Bytes, Mask, view
from holdfast.formats.syslog.pri import Pri
from holdfast.formats.syslog.spans import Fields, Span, next_marks, only
from holdfast.formats.syslog.timestamps import Instants, rfc3339

_NAME = r'[^ =\]"\x00-\x1f\x7f]+'
_VALUE = r'(?:[^"\\\]\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*'
_DATA = rf'^(?P<data>(?:\[{_NAME}(?: +{_NAME}="{_VALUE}")* *\])+)(?: |$)'
"""One or more SD-ELEMENTs (RFC 5424 6.3), more than one space between parameters forgiven."""


def recognised(lines: Lines, spaces: Offsets, pri: Pri) -> tuple[Mask, Offsets]:
    """Which lines have the header of RFC 5424, and their first six spaces after PRI (shape 6 × lines)."""
    bytes_ = view(lines.buffer)
    body = pri.body
    cuts = next_marks(spaces, body, 6, lines.ends)
    good = pri.written & (bytes_.take(body, mode="clip") == 0x31) & (cuts[0] == body + 1)
    for one, next_ in itertools.pairwise(cuts):
        good &= next_ - one > 1
    data = cuts[5] + 1
    first = bytes_.take(data, mode="clip")
    following = bytes_.take(data + 1, mode="clip")
    nil = (first == 0x2D) & ((data + 1 == lines.ends) | (following == 0x20))
    return good & (data < lines.ends) & (nil | (first == 0x5B)), cuts


def parse(lines: Lines, cuts: Offsets, pri: Pri, arrival: Instants) -> Fields:
    """The fields of lines that `recognised` recognised."""
    bytes_, ends = view(lines.buffer), lines.ends
    stamp = (cuts[0] + 1, cuts[1])
    time, understood = rfc3339(bytes_, stamp)
    data = cuts[5] + 1
    data_end = data + 1
    structured = np.flatnonzero(bytes_.take(data, mode="clip") == 0x5B)
    if len(structured):
        data_end[structured] = data[structured] + _data_lengths(lines.buffer, data[structured], ends[structured])
    nothing = data_end == data
    message = np.where(nothing, data, np.minimum(data_end + 1, ends))
    is_data = np.zeros(len(lines), np.bool_)
    is_data[structured] = ~nothing[structured]
    nil = _nil(bytes_, stamp)
    host, program, procid, msgid = (_field(bytes_, (cuts[at] + 1, cuts[at + 1])) for at in (1, 2, 3, 4))
    return Fields(
        time=np.where(understood, time, arrival),
        severity=pri.severity,
        facility=pri.facility,
        host=host,
        program=program,
        procid=procid,
        msgid=msgid,
        data=only((data, data_end), is_data),
        pri=pri.unread,
        timestamp=only(stamp, ~understood & ~nil),
        message=(message, ends),
    )


def _nil(bytes_: Bytes, span: Span) -> Mask:
    return np.asarray((span[1] - span[0] == 1) & (bytes_.take(span[0], mode="clip") == 0x2D))


def _field(bytes_: Bytes, span: Span) -> Span:
    return only(span, ~_nil(bytes_, span))


def _data_lengths(buffer: bytes, starts: Offsets, ends: Offsets) -> Offsets:
    """The length of the structured data at each start; 0 where it is not well formed."""
    found = pc.extract_regex_span(slices(buffer, starts, ends), pattern=_DATA)
    spans = pc.fill_null(pc.list_element(pc.struct_field(found, "data"), 1), 0)
    return np.asarray(spans.to_numpy(zero_copy_only=False), np.int64)
