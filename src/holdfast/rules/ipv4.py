"""IPv4 addresses in text: the rule is in addresses.py. Pure; vectorised.

Dots between two digits are rare; three of them two to four bytes apart are nearly always an address, so everything
after the first scan works on few positions.
"""

import numpy as np

from holdfast.formats.scanning import Bytes, Mask, Offsets, dots_between_digits
from holdfast.rules.spans import NONE, WORD, Spans, Text


def quads(text: Text) -> Spans:
    """Every dotted quad (rule IPv4, without the exception for user agents)."""
    dots = dots_between_digits(text.buffer)
    if len(dots) < 3:
        return NONE
    gaps = np.diff(dots)
    near = (gaps >= 2) & (gaps <= 4)
    index = np.flatnonzero(near[:-1] & near[1:])
    one, three = dots[index], dots[index + 2]
    rows = text.rows(one)
    low, high = text.offsets[rows], text.offsets[rows + 1]
    good = (one > low) & (three + 1 < high)
    values = np.empty((4, len(index)), np.uint8)
    # An octet is read backwards from the dot after it (its units, tens and hundreds); the last one forwards.
    start = one - _backwards(text.buffer, one, np.minimum(one - low, 4), values[0], good)
    for octet in (1, 2):
        gap = gaps[index + octet - 1]
        good &= _backwards(text.buffer, dots[index + octet], gap - 1, values[octet], good) == gap - 1
    end = three + 1 + _forwards(text.buffer, three + 1, np.minimum(high - three - 1, 4), values[3], good)
    kept = np.flatnonzero(good)
    start, end, rows = start[kept], end[kept], rows[kept]
    before = text.byte(start - 1, rows)
    fits = ~WORD[before] & (before != 0x2E) & text.ends_well(end, rows)
    kept, start, end, rows = kept[fits], start[fits], end[fits], rows[fits]
    addresses = np.zeros((len(kept), 16), np.uint8)
    addresses[:, 10:12] = 255
    addresses[:, 12:] = values[:, kept].T
    return Spans(start, end, rows, addresses, np.ones(len(kept), np.bool_))


def _digit(buffer: Bytes, at: Offsets, inside: Mask) -> Bytes:
    """The digit at each position, or something above 9."""
    return np.where(inside, buffer.take(at, mode="clip") - np.uint8(48), np.uint8(99))


def _backwards(buffer: Bytes, dot: Offsets, room: Offsets, value: Bytes, good: Mask) -> Offsets:
    """Up to three digits before each dot, of which `room` bytes may be looked at: how many, and (in `value`) their
    number; `good` is cleared where that is no octet."""
    ones = _digit(buffer, dot - 1, room > 0)
    tens = _digit(buffer, dot - 2, room > 1)
    hundreds = _digit(buffer, dot - 3, room > 2)
    return _octet(hundreds, tens, ones, value, good)


def _forwards(buffer: Bytes, at: Offsets, room: Offsets, value: Bytes, good: Mask) -> Offsets:
    """The same for the digits from a position on."""
    first = _digit(buffer, at, room > 0)
    second = _digit(buffer, at + 1, room > 1)
    third = _digit(buffer, at + 2, room > 2)
    two, three = second < 10, (second < 10) & (third < 10)
    none = np.uint8(99)
    ones = np.where(three, third, np.where(two, second, first))
    tens = np.where(three, second, np.where(two, first, none))
    return _octet(np.where(three, first, none), tens, ones, value, good)


def _octet(hundreds: Bytes, tens: Bytes, ones: Bytes, value: Bytes, good: Mask) -> Offsets:
    two = tens < 10
    three = two & (hundreds < 10)
    number = ones.astype(np.uint16) + np.where(two, tens, 0).astype(np.uint16) * 10
    number += np.where(three, hundreds, 0).astype(np.uint16) * 100
    leading = np.where(three, hundreds, np.where(two, tens, 1))
    good &= (ones < 10) & (number <= 255) & (leading > 0)
    value[:] = number
    return (1 + two.astype(np.int64) + three).astype(np.int64)
