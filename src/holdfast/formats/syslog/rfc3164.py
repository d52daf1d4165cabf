"""Everything that is not RFC 5424, many lines at a time: `<PRI>Mmm dd hh:mm:ss HOST TAG[PID]: MSG` and what senders
make of it.

PRI, host, tag and process id may each be missing; the time may be RFC 3339 (rsyslog's file and forward formats). A line
without a time it can read gives its tag only if that is plain (`tag[123]:`, or after a PRI `tag:`); sshd must be known
as such wherever it speaks. What is not understood is the message, whole.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.formats.lines import Lines, Offsets
from holdfast.formats.scanning import Bytes, Mask, columns, positions_of, view
from holdfast.formats.syslog import timestamps
from holdfast.formats.syslog.pri import Pri
from holdfast.formats.syslog.spans import Fields, next_marks, only

_SPACE, _COLON, _OPEN, _CLOSE = 0x20, 0x3A, 0x5B, 0x5D
_MARKS = np.zeros(256, np.bool_)
_MARKS[[_SPACE, _COLON, _OPEN, _CLOSE]] = True


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag at each start: `plain` if a colon and a space (or the end) follow it, `bracketed` if it has `[...]`."""

    found: Mask
    plain: Mask
    bracketed: Mask
    end: Offsets
    pid: tuple[Offsets, Offsets]
    message: Offsets


def parse(lines: Lines, pri: Pri, arrival: npt.NDArray[np.int64]) -> Fields:
    """The fields of every line."""
    bytes_, ends, body = view(lines.buffer), lines.ends, pri.body
    marks = positions_of(bytes_, _MARKS)
    spaces = marks[bytes_[marks] == _SPACE] if len(marks) else marks

    time, after, dated = timestamps.rfc3164(bytes_, body, ends, arrival)
    token_end = next_marks(spaces, body, 1, ends)[0]
    iso_time, iso = timestamps.rfc3339(bytes_, (body, token_end))
    time, after, dated = np.where(iso, iso_time, time), np.where(iso, token_end, after), dated | iso
    # Cisco ends the time with a colon.
    after = np.where(dated & (after < ends) & (bytes_.take(after, mode="clip") == _COLON), after + 1, after)
    dated &= (after == ends) | (bytes_.take(after, mode="clip") == _SPACE)
    head = np.where(dated, np.minimum(after + 1, ends), body)

    first = _tag(bytes_, marks, head, ends)
    word_end = next_marks(spaces, head, 1, ends)[0]
    tagged = first.found & (first.plain | first.bracketed)
    hosted = dated & ~tagged & (word_end > head) & (word_end < ends)
    rest = np.where(hosted, word_end + 1, head)
    second = _tag(bytes_, marks, rest, ends)
    digits = _digits(bytes_, first.pid)
    alone = ~dated & first.found & first.plain & (pri.written | (first.bracketed & digits))
    use_first = (dated & tagged) | alone
    use_second = hosted & second.found
    used = use_first | use_second
    start = np.where(use_first, head, rest)

    def pick(one: Offsets, two: Offsets) -> Offsets:
        return np.where(use_first, one, two)

    whole = np.where(dated, rest, body)
    return Fields(
        np.where(dated, time, arrival),
        pri.severity,
        pri.facility,
        only((head, word_end), hosted),
        only((start, pick(first.end, second.end)), used),
        only((pick(first.pid[0], second.pid[0]), pick(first.pid[1], second.pid[1])), used),
        (body, body),
        (body, body),
        pri.unread,
        (body, body),
        (np.where(used, pick(first.message, second.message), whole), ends),
    )


def _tag(bytes_: Bytes, marks: Offsets, at: Offsets, ends: Offsets) -> _Tag:
    """The tag at each start: everything up to the first of space, colon and brackets, if a colon or `[...]` follows."""
    end, second = next_marks(marks, at, 2, ends)
    inside = (end < ends) & (end > at)
    mark = bytes_.take(end, mode="clip")
    colon = inside & (mark == _COLON)
    bracketed = inside & (mark == _OPEN) & (second < ends) & (bytes_.take(second, mode="clip") == _CLOSE)
    after = np.where(bracketed, second + 1, end)
    closed = (colon | bracketed) & (after < ends) & (bytes_.take(after, mode="clip") == _COLON)
    after = after + closed
    spaced = (after >= ends) | (bytes_.take(after, mode="clip") == _SPACE)
    bracketed &= closed | spaced
    message = np.where((after < ends) & spaced, after + 1, np.minimum(after, ends))
    pid = only((np.minimum(end + 1, ends), second), bracketed)
    return _Tag(colon | bracketed, closed & spaced, bracketed, end, pid, message)


def _digits(bytes_: Bytes, span: tuple[Offsets, Offsets]) -> Mask:
    """Whether the span is one to ten digits."""
    starts, ends = span
    length = ends - starts
    cells = columns(bytes_, starts, 10)
    outside = np.arange(10)[:, None] >= length
    return np.asarray((length > 0) & (length <= 10) & (((cells - np.uint8(48)) < 10) | outside).all(0))
