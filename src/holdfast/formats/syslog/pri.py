"""The `<PRI>` at the head of a syslog line: facility × 8 + severity, at most 191, no leading zero (RFC 5424 6.2.1).

A line without one counts as notice, the severity of the PRI 13 that RFC 3164 4.3.3 gives it, and has no facility. A PRI
that is a number but no valid one (`<999>`, `<007>`) counts the same way and its text is kept.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.formats.lines import Lines, Offsets
from holdfast.formats.scanning import Mask, columns, view
from holdfast.formats.syslog.spans import Span

NOTICE = 5


@dataclass(frozen=True, slots=True)
class Pri:
    """Per line: whether a PRI is written, where the rest begins, facility (-1: none), severity, and the span of a PRI
    that is not valid."""

    written: Mask
    body: Offsets
    facility: npt.NDArray[np.int64]
    severity: npt.NDArray[np.uint8]
    unread: Span

    def take(self, rows: Offsets) -> "Pri":
        """The same for some of the lines."""
        starts, ends = self.unread
        return Pri(
            self.written[rows], self.body[rows], self.facility[rows], self.severity[rows], (starts[rows], ends[rows])
        )


def parse(lines: Lines) -> Pri:
    """The PRI of each line."""
    starts, ends = lines.starts, lines.ends
    cells = columns(view(lines.buffer), starts, 5)
    digits = cells - np.uint8(48)
    one = digits[1] < 10
    two = one & (digits[2] < 10)
    three = two & (digits[3] < 10)
    count = one.astype(np.int64) + two + three
    closing = np.where(three, cells[4], np.where(two, cells[3], np.where(one, cells[2], 0)))
    body = starts + count + 2
    written = (cells[0] == 0x3C) & (closing == 0x3E) & (body <= ends)
    value = digits[1].astype(np.int64)
    value = np.where(two, value * 10 + digits[2], value)
    value = np.where(three, value * 10 + digits[3], value)
    valid = written & (value <= 191) & ((digits[1] != 0) | (count == 1))
    inner = starts + written
    return Pri(
        written,
        np.where(written, body, starts),
        np.where(valid, value >> 3, -1),
        np.where(valid, value & 7, NOTICE).astype(np.uint8),
        (inner, np.where(written & ~valid, inner + count, inner)),
    )
