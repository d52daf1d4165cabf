"""IPv4 addresses in text: the rule is in addresses.py. Pure; vectorised.

Dots between two digits are rare; three of them two to four bytes apart are nearly always an address, so everything
after the first scan works on few positions.
"""

import numpy as np

from holdfast.rules.spans import NONE, WORD, Bytes, Offsets, Spans, Text

_CHUNK = 1 << 18
"""Bytes scanned at once: what is computed of them stays in the processor's cache."""


def quads(text: Text) -> Spans:
    """Every dotted quad (rule IPv4, without the exception for user agents)."""
    dots = _inner_dots(text.buffer)
    if len(dots) < 3:
        return NONE
    gaps = np.diff(dots)
    near = (gaps >= 2) & (gaps <= 4)
    first = np.flatnonzero(near[:-1] & near[1:])
    one, two, three = dots[first], dots[first + 1], dots[first + 2]
    rows = text.rows(one)
    digits = np.empty((len(first), 4, 3), np.uint8)
    count = np.empty((len(first), 4), np.int64)
    good = np.ones(len(first), np.bool_)
    # An octet is read backwards from the dot after it, the last one forwards from the dot before it.
    for octet, after in enumerate((one, two, three)):
        size = _read(text, rows, after - 1, -1, digits[:, octet])
        count[:, octet] = size
        if octet:
            good &= size == after - (one, two)[octet - 1] - 1
    count[:, 3] = _read(text, rows, three + 1, 1, digits[:, 3])
    start, end = one - count[:, 0], three + 1 + count[:, 3]
    # Forward digits are left-aligned: turn them so that units come first, like the others.
    last = np.take_along_axis(digits[:, 3], np.maximum(count[:, 3:] - 1 - np.arange(3), 0), 1)
    digits[:, 3] = np.where(np.arange(3) < count[:, 3:], last, 0)
    value = digits.astype(np.int64) @ np.array([1, 10, 100])
    leading = np.take_along_axis(digits, np.maximum(count - 1, 0)[:, :, None], 2)[:, :, 0]
    good &= ((count > 0) & (value <= 255) & ((leading > 0) | (count == 1))).all(1)
    before = text.byte(start - 1, rows)
    good &= ~WORD[before] & (before != 0x2E) & text.ends_well(end, rows)
    kept = np.flatnonzero(good)
    addresses = np.zeros((len(kept), 16), np.uint8)
    addresses[:, 10:12] = 255
    addresses[:, 12:] = value[kept]
    return Spans(start[kept], end[kept], rows[kept], addresses, np.ones(len(kept), np.bool_))


def _inner_dots(buffer: Bytes) -> Offsets:
    """Dots between two digits."""
    found = []
    for base in range(0, len(buffer), _CHUNK):
        part = buffer[base : base + _CHUNK + 2]
        digit = (part - np.uint8(48)) < 10
        found.append(np.flatnonzero((part[1:-1] == 0x2E) & digit[:-2] & digit[2:]) + (base + 1))
    return np.concatenate(found).astype(np.int64) if found else np.zeros(0, np.int64)


def _read(text: Text, rows: Offsets, at: Offsets, step: int, into: Bytes) -> Offsets:
    """Up to three digits from a position on, into the columns; how many there are."""
    open_ = np.ones(len(at), np.bool_)
    count = np.zeros(len(at), np.int64)
    for index in range(3):
        digit = text.byte(at + index * step, rows) - np.uint8(48)
        open_ &= digit < 10
        into[:, index] = np.where(open_, digit, 0)
        count += open_
    return count
