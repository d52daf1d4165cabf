"""Lines longer than a limit, cut into pieces that are lines of their own; never inside a UTF-8 character."""

import numpy as np

from holdfast.formats.lines import Lines


def boundary(buffer: bytes, at: int) -> int:
    """The nearest place at or before `at` where a UTF-8 character begins; `at` itself if the bytes are no UTF-8."""
    for place in range(at, max(at - 4, 0), -1):
        if place == len(buffer) or buffer[place] & 0xC0 != 0x80:
            return place
    return at


def cut(lines: Lines, limit: int) -> Lines:
    """The same bytes with no line longer than `limit` (at least 4) bytes. Without a long line, the very same object."""
    long = np.flatnonzero(lines.ends - lines.starts > limit)
    if not len(long):
        return lines
    cuts: list[int] = []
    for start, end in zip(lines.starts[long].tolist(), lines.ends[long].tolist(), strict=True):
        while end - start > limit:
            start = boundary(lines.buffer, start + limit)
            cuts.append(start)
    places = np.array(cuts, np.int64)
    starts, ends = np.concatenate((lines.starts, places)), np.concatenate((lines.ends, places))
    starts.sort()
    ends.sort()
    return Lines(lines.buffer, starts, ends)
