"""Times as syslog lines write them, many at a time: RFC 3339 (RFC 5424, rsyslog's file and forward formats) and the
`Mmm dd hh:mm:ss` of RFC 3164.

An RFC 3164 time has no zone and no year. UTC is taken for the zone; the year is the one that puts the time nearest to
the arrival, among those in which the date exists (29 February). Years 1970 to 2200 are understood.
"""

import numpy as np
import numpy.typing as npt

from holdfast.formats.lines import Offsets
from holdfast.formats.syslog.spans import Bytes, Mask, Span

Instants = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.int64]

_NS = 1_000_000_000
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DIGITS = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
_WEIGHTS = np.zeros((14, 6), np.float32)
for _column, (_first, _count) in enumerate([(0, 4), (4, 2), (6, 2), (8, 2), (10, 2), (12, 2)]):
    for _index in range(_count):
        _WEIGHTS[_first + _index, _column] = 10 ** (_count - 1 - _index)
_FRACTION = np.array([10**power for power in range(8, -1, -1)], np.float64)
_MONTHS = {
    name: number
    for number, name in enumerate(b"JanFebMarAprMayJunJulAugSepOctNovDec"[i : i + 3] for i in range(0, 36, 3))
}


def rfc3339(view: Bytes, span: Span) -> tuple[Instants, Mask]:
    """Nanoseconds since the epoch of each token, and which tokens are such a time as a whole."""
    starts, ends = span
    length = ends - starts
    cells = view.take(starts[:, None] + np.arange(35), mode="clip")
    numbers = cells - np.uint8(48)
    fixed = numbers[:, _DIGITS]
    good = (fixed < 10).all(1) & (length >= 20)
    for column, byte in ((4, 0x2D), (7, 0x2D), (10, 0x54), (13, 0x3A), (16, 0x3A)):
        good &= cells[:, column] == byte
    parts = (fixed.astype(np.float32) @ _WEIGHTS).astype(np.int64)
    time, exists = _instant(*parts.T)
    good &= exists

    dotted = cells[:, 19] == 0x2E
    run = np.logical_and.accumulate(numbers[:, 20:29] < 10, axis=1) & dotted[:, None]
    count = run.sum(1)
    time += ((numbers[:, 20:29] * run).astype(np.float64) @ _FRACTION).astype(np.int64)
    good &= ~dotted | (count > 0)
    at = np.where(dotted, 20 + count, 19)
    zone = np.take_along_axis(cells, at[:, None], 1)[:, 0]
    utc = (zone == 0x5A) & (length == at + 1)
    if not utc.all():
        offset, zoned = _offset(cells, at)
        time -= np.where(utc, 0, offset)
        good &= utc | (zoned & (length == at + 6))
    return np.where(good, time, 0), good


def _offset(cells: Bytes, at: _Numbers) -> tuple[_Numbers, Mask]:
    """`+hh:mm` at a column of each row, as nanoseconds."""
    text = np.take_along_axis(cells, at[:, None] + np.arange(6), 1)
    digits = (text - np.uint8(48)).astype(np.int64)
    minutes = digits[:, 1] * 600 + digits[:, 2] * 60 + digits[:, 4] * 10 + digits[:, 5]
    sign = np.where(text[:, 0] == 0x2D, -1, 1)
    good = ((text[:, 0] == 0x2D) | (text[:, 0] == 0x2B)) & (text[:, 3] == 0x3A)
    good &= (digits[:, [1, 2, 4, 5]] < 10).all(1) & (minutes <= 1439) & (digits[:, 4] < 6)
    return sign * minutes * 60 * _NS, good


def rfc3164(view: Bytes, starts: Offsets, ends: Offsets, arrival: Instants) -> tuple[Instants, Offsets, Mask]:
    """The time at each start, where it ends, and whether it is one. Days may be padded by a space, a zero or nothing; a
    year between day and time (Cisco) and a fraction of up to nine digits are understood."""
    cells = view.take(starts[:, None] + np.arange(7), mode="clip")
    name = (cells[:, 0].astype(np.int64) << 16) | (cells[:, 1].astype(np.int64) << 8) | cells[:, 2]
    month = np.zeros(len(starts), np.int64)
    for text, number in _MONTHS.items():
        month[name == int.from_bytes(text, "big")] = number + 1
    digits = (cells - np.uint8(48)).astype(np.int64)
    padded = (cells[:, 4] == 0x20) & (digits[:, 5] < 10) & (cells[:, 6] == 0x20)
    two = (digits[:, 4] < 10) & (digits[:, 5] < 10) & (cells[:, 6] == 0x20)
    one = (digits[:, 4] < 10) & (cells[:, 5] == 0x20)
    day = np.select([padded, two, one], [digits[:, 5], digits[:, 4] * 10 + digits[:, 5], digits[:, 4]], 0)
    good = (month > 0) & (cells[:, 3] == 0x20) & (padded | two | one)
    at = starts + np.where(one & ~two, 6, 7)

    clock = view.take(at[:, None] + np.arange(5), mode="clip")
    years = (clock[:, :4] - np.uint8(48)).astype(np.int64)
    dated = (years < 10).all(1) & (clock[:, 4] == 0x20)
    year = np.where(dated, years @ np.array([1000, 100, 10, 1]), 0)
    at = at + np.where(dated, 5, 0)

    clock = view.take(at[:, None] + np.arange(18), mode="clip")
    digits = (clock - np.uint8(48)).astype(np.int64)
    good &= (digits[:, [0, 1, 3, 4, 6, 7]] < 10).all(1) & (clock[:, 2] == 0x3A) & (clock[:, 5] == 0x3A)
    hour, minute = digits[:, 0] * 10 + digits[:, 1], digits[:, 3] * 10 + digits[:, 4]
    second = digits[:, 6] * 10 + digits[:, 7]
    dotted = clock[:, 8] == 0x2E
    run = np.logical_and.accumulate(digits[:, 9:18] < 10, axis=1) & dotted[:, None]
    fraction = ((digits[:, 9:18] * run).astype(np.float64) @ _FRACTION).astype(np.int64)
    count = run.sum(1)
    after = at + np.where(count > 0, 9 + count, 8)

    nearest, exists = _nearest(month, day, hour, minute, second, arrival)
    written, real = _instant(np.where(dated, year, 1970), month, day, hour, minute, second)
    time = np.where(dated, written, nearest) + fraction
    good &= np.where(dated, real, exists) & (after <= ends)
    return np.where(good, time, 0), np.where(good, after, starts), good


def _nearest(
    month: _Numbers, day: _Numbers, hour: _Numbers, minute: _Numbers, second: _Numbers, arrival: Instants
) -> tuple[Instants, Mask]:
    """The instant nearest to the arrival among the years around it in which the date exists."""
    now = arrival.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    best, found = np.zeros(len(month), np.int64), np.zeros(len(month), np.bool_)
    leap = (month == 2) & (day == 29)
    for step in (0, -1, 1, -2, 2, -3, 3, -4, 4):
        if abs(step) > 1 and not leap.any():
            break
        time, exists = _instant(now + step, month, day, hour, minute, second)
        better = exists & (~found | (np.abs(time - arrival) < np.abs(best - arrival)))
        best, found = np.where(better, time, best), found | exists
    return best, found


def _instant(
    year: _Numbers, month: _Numbers, day: _Numbers, hour: _Numbers, minute: _Numbers, second: _Numbers
) -> tuple[Instants, Mask]:
    """Nanoseconds since the epoch, and whether there is such a time (a leap second counts as the next second)."""
    leap = (month == 2) & (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    exists = (year >= 1970) & (year <= 2200) & (month >= 1) & (month <= 12) & (day >= 1)
    exists &= day <= _DAYS.take(month, mode="clip") + leap
    exists &= (hour < 24) & (minute < 60) & (second <= 60)
    # Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    seconds = np.where(exists, days * 86400 + hour * 3600 + minute * 60 + second, 0)
    return seconds * _NS, exists
