"""IPv6 addresses in text. Pure; vectorised over all lines; the rule by itself:

A *chain* is a longest sequence of colons in one line, each two with nothing but zero to four hexadecimal digits between
them. What stands before a chain's first colon is

* its first group: one to four hexadecimal digits with no word byte and no dot before them; or
* nothing: no word byte and no dot. A chain that begins with exactly two colons begins with `::`; of any other its first
  colon does not count (` :2001:db8::1`); or else
* a label (`src:2001:db8::1`): the first colon belongs to it and does not count.

What stands after the last colon is, likewise,

* a dotted quad that the IPv4 rule accepts and no colon follows; or
* the last group: one to four hexadecimal digits after which an address may end (no word byte, no dot but a sentence
  dot);
* nothing: an address may end there; exactly two colons at the end are `::`, of any others the last does not count; or
* a label (`2001:db8::1:http`): the last colon does not count.

What is left is an address if it has eight groups, or up to seven and one `::` (a quad counts as two). Two exceptions:
the text `::` (listening on any address), and `::ffff:` before a quad, where the quad alone is the address.

So the decision rests on the bytes outside the address and on its being one, not on which: replaced by another address
it leads the same way. An address of eight groups followed by `:port` without brackets has nine and is not recognised.
"""

import numpy as np
import numpy.typing as npt

from holdfast.formats.scanning import Bytes, Mask, Offsets, columns, positions
from holdfast.rules.spans import HEX, NONE, WORD, Spans, Text

_COLON, _DOT = 0x3A, 0x2E
_LONGEST = 39
_VALUES = np.zeros(256, np.uint16)
for _digit in range(22):
    _VALUES[b"0123456789abcdefABCDEF"[_digit]] = _digit if _digit < 16 else _digit - 6


def sixes(text: Text, quads: Spans) -> tuple[Spans, Mask]:
    """The IPv6 addresses, and which of the quads are part of one."""
    part = np.zeros(len(quads), np.bool_)
    colons, rows = _candidates(text)
    if not len(colons):
        return NONE, part
    first, last = _chains(text, colons, rows)
    row = rows[first]

    # `low` and `high` are indices into colons: those of the chain that count.
    low, high, start = _left(text, colons, row, first, last)
    high, end, tail = _right(text, colons, row, first, high, quads)
    doubles = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.diff(colons) == 1)))
    counted = high >= low
    low_, high_ = np.where(counted, low, 0), np.where(counted, high, 0)
    double = doubles[high_] - doubles[low_]
    opens, closes = start < colons[low_], end > colons[high_] + 1
    groups = (high_ - low_ - double) + opens + closes + (tail >= 0)
    begins = opens | (colons.take(low_ + 1, mode="clip") == colons[low_] + 1)
    finishes = closes | (colons.take(high_ - 1, mode="clip") == colons[high_] - 1)
    good = (
        counted & begins & finishes & (groups > 0) & np.where(double == 0, groups == 8, (double == 1) & (groups <= 7))
    )
    bare_end = np.where(tail >= 0, colons[high_] + 1, end)
    mapped = (tail >= 0) & (bare_end - start == 7) & _is_mapped(text.buffer, start)
    kept = np.flatnonzero(good & ~mapped)
    addresses = _values(text.buffer, start[kept], bare_end[kept], groups[kept], tail[kept], quads)
    used = tail[kept]
    part[used[used >= 0]] = True
    return Spans(start[kept], end[kept], row[kept], addresses, np.zeros(len(kept), np.bool_)), part


def _candidates(text: Text) -> tuple[Offsets, Offsets]:
    """The colons that may be in an address, and their rows: those of runs, at most five bytes apart, that have a `::`
    or at least six colons."""
    colons = positions(text.buffer, _COLON)
    if len(colons) < 2:
        return colons[:0], colons[:0]
    gaps = np.diff(colons)
    breaks = np.flatnonzero(gaps > 5)
    heads = np.concatenate((np.zeros(1, np.int64), breaks + 1))
    sizes = np.diff(np.append(heads, len(colons)))
    touching = np.append(gaps == 1, False)
    wanted = (sizes >= 6) | np.logical_or.reduceat(touching, heads)
    kept = colons[np.repeat(wanted, sizes)]
    return kept, text.rows(kept)


def _chains(text: Text, colons: Offsets, rows: Offsets) -> tuple[Offsets, Offsets]:
    """The first and the last index into colons of every chain."""
    gaps = np.diff(colons) - 1
    linked = (gaps <= 4) & (rows[1:] == rows[:-1])
    for step in range(4):
        between = HEX[text.buffer.take(colons[:-1] + 1 + step, mode="clip")]
        linked &= between | (step >= gaps)
    cut = np.flatnonzero(~linked)
    return np.concatenate((np.zeros(1, np.int64), cut + 1)), np.append(cut, len(colons) - 1)


def _run(text: Text, rows: Offsets, at: Offsets, step: int) -> Offsets:
    """How many hexadecimal digits there are from each position on, up to five."""
    open_, count = np.ones(len(at), np.bool_), np.zeros(len(at), np.int64)
    for index in range(5):
        open_ &= HEX[text.byte(at + index * step, rows)]
        count += open_
    return count


def _left(text: Text, colons: Offsets, row: Offsets, first: Offsets, last: Offsets) -> tuple[Offsets, Offsets, Offsets]:
    """The first and last colon that count, and where the address would start."""
    at = colons[first]
    size = _run(text, row, at - 1, -1)
    before = text.byte(at - size - 1, row)
    free = ~WORD[before] & (before != _DOT)
    group = free & (size >= 1) & (size <= 4)
    second, third = first + 1, first + 2
    has_second = (second <= last) & (colons.take(second, mode="clip") == at + 1)
    has_third = (third <= last) & (colons.take(third, mode="clip") == at + 2)
    double = free & (size == 0) & has_second & ~has_third
    low = np.where(group | double, first, first + 1)
    return low, last, np.where(group, at - size, np.where(double, at, at + 1))


def _right(
    text: Text, colons: Offsets, row: Offsets, first: Offsets, last: Offsets, quads: Spans
) -> tuple[Offsets, Offsets, Offsets]:
    """The last colon that counts, where the address would end, and the quad at its end (an index, or -1)."""
    at = colons[last]
    size = _run(text, row, at + 1, 1)
    ends = text.ends_well(at + 1 + size, row)
    group = ends & (size >= 1) & (size <= 4)
    has_second = (last - 1 >= first) & (colons.take(last - 1, mode="clip") == at - 1)
    has_third = (last - 2 >= first) & (colons.take(last - 2, mode="clip") == at - 2)
    double = ends & (size == 0) & has_second & ~has_third
    tail = np.full(len(at), -1, np.int64)
    if len(quads):
        index = np.searchsorted(quads.starts, at + 1)
        found = (quads.starts.take(index, mode="clip") == at + 1) & (quads.rows.take(index, mode="clip") == row)
        following = text.byte(quads.ends.take(index, mode="clip"), row)
        tail = np.where(found & (following != _COLON), index, -1)
    quad_end = quads.ends.take(tail, mode="clip") if len(quads) else at
    high = np.where(group | double | (tail >= 0), last, last - 1)
    end = np.where(tail >= 0, quad_end, np.where(group, at + 1 + size, np.where(double, at + 1, at)))
    return high, end, tail


def _is_mapped(buffer: Bytes, starts: Offsets) -> Mask:
    """Whether the seven bytes at each start are `::ffff:`."""
    cells = buffer.take(starts[:, None] + np.arange(7), mode="clip")
    return np.asarray(((cells | np.uint8(0x20)) == np.frombuffer(b"::ffff:", np.uint8) | np.uint8(0x20)).all(1))


def _values(
    buffer: Bytes, starts: Offsets, ends: Offsets, groups: Offsets, tails: Offsets, quads: Spans
) -> npt.NDArray[np.uint8]:
    """The 16 bytes of texts that are known to be addresses; a tail's quad is not part of its text."""
    count = len(starts)
    length = ends - starts
    cells = columns(buffer, starts, _LONGEST + 1)
    # Groups are taken as they come, number by number; after the end everything counts as a colon.
    value, number, group = np.zeros((count, 10), np.int64), np.zeros(count, np.int64), np.zeros(count, np.uint16)
    double = np.full(count, 8, np.int64)
    digits_before = np.zeros(count, np.bool_)
    for step in range(int(length.max(initial=0)) + 1):
        byte = np.where(length > step, cells[step], np.uint8(_COLON))
        digits = byte != _COLON
        group = np.where(digits, group * np.uint16(16) + _VALUES[byte], group)
        over = np.flatnonzero(digits_before & ~digits)
        value[over, number[over]] = group[over]
        number[over] += 1
        group[over] = 0
        if step:
            again = ~digits_before & ~digits & (length > step)
            double = np.where(again, number, double)
        digits_before = digits
    tailed = np.flatnonzero(tails >= 0)
    if len(tailed):
        quad = quads.addresses[tails[tailed], 12:].astype(np.int64)
        for half in range(2):
            value[tailed, number[tailed] + half] = quad[:, 2 * half] * 256 + quad[:, 2 * half + 1]
    place = np.arange(8)
    source = np.where(place < double[:, None], place, place - (8 - groups[:, None]))
    filled = (place < double[:, None]) | (place >= double[:, None] + 8 - groups[:, None])
    words = np.where(filled, np.take_along_axis(value, np.maximum(source, 0), 1), 0)
    return words.astype(">u2").view(np.uint8).reshape(-1, 16)
