"""Times as syslog lines write them, many at a time: RFC 3339 (RFC 5424, rsyslog's file and forward formats) and the
`Mmm dd hh:mm:ss` of RFC 3164.

An RFC 3164 time has no zone and no year. UTC is taken for the zone; the year is the one that puts the time nearest to
the arrival, among those in which the date exists (29 February). Years 1970 to 2200 are understood.
"""

import datetime

import numpy as np
import numpy.typing as npt

from holdfast.formats.scanning import Bytes, Mask, Offsets, columns
from holdfast.formats.syslog.spans import Span

Instants = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.int64]

_NS = 1_000_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_MONTH_STARTS = np.array(
    [
        datetime.date(_FIRST_YEAR + month // 12, month % 12 + 1, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()
        for month in range((_LAST_YEAR - _FIRST_YEAR + 1) * 12 + 1)
    ],
    np.int64,
)
"""Days from the epoch to the first of each month."""
_MONTH_DAYS = np.diff(_MONTH_STARTS)
_MONTHS = {
    int.from_bytes(name.encode(), "big"): number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}


def rfc3339(buffer: Bytes, span: Span) -> tuple[Instants, Mask]:
    """Nanoseconds since the epoch of each token, and which tokens are such a time as a whole."""
    starts, ends = span
    length = ends - starts
    cells = columns(buffer, starts, 35)
    digits = cells - np.uint8(48)
    good = length >= 20
    for column in (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18):
        good &= digits[column] < 10
    for column, byte in ((4, 0x2D), (7, 0x2D), (10, 0x54), (13, 0x3A), (16, 0x3A)):
        good &= cells[column] == byte
    year = _two(digits, 0).astype(np.int64) * 100 + _two(digits, 2)
    seconds, exists = _seconds(year, _two(digits, 5), _two(digits, 8), *(_two(digits, at) for at in (11, 14, 17)))
    good &= exists

    dotted = cells[19] == 0x2E
    fraction, count = _fraction(digits[20:29], dotted)
    good &= ~dotted | (count > 0)
    at = np.where(dotted, count + 20, 19)
    zone = buffer.take(starts + at, mode="clip")
    utc = (zone == 0x5A) & (length == at + 1)
    time = seconds * _NS + fraction
    if not utc.all():
        offset, zoned = _offset(buffer, starts + at)
        time -= np.where(utc, 0, offset)
        good &= utc | (zoned & (length == at + 6))
    return np.where(good, time, 0), good


def _two(digits: Bytes, column: int) -> Bytes:
    """The number in two columns of digits (nonsense where they are none)."""
    return np.asarray(digits[column] * np.uint8(10) + digits[column + 1])


def _fraction(digits: Bytes, dotted: Mask) -> tuple[_Numbers, npt.NDArray[np.uint8]]:
    """Up to nine digits as nanoseconds, and how many there are."""
    open_, count, value = dotted.copy(), np.zeros(len(dotted), np.uint8), np.zeros(len(dotted), np.int32)
    for column in range(9):
        open_ &= digits[column] < 10
        if not open_.any():
            break
        value += np.where(open_, digits[column], 0) * np.int32(10 ** (8 - column))
        count += open_
    return value.astype(np.int64), count


def _offset(buffer: Bytes, at: Offsets) -> tuple[_Numbers, Mask]:
    """`+hh:mm` at each position, as nanoseconds."""
    text = [buffer.take(at + index, mode="clip") for index in range(6)]
    hours, minutes = ((text[i] - np.uint8(48)) * np.uint8(10) + (text[i + 1] - np.uint8(48)) for i in (1, 4))
    good = ((text[0] == 0x2D) | (text[0] == 0x2B)) & (text[3] == 0x3A) & (hours < 24) & (minutes < 60)
    for index in (1, 2, 4, 5):
        good &= (text[index] - np.uint8(48)) < 10
    sign = np.where(text[0] == 0x2D, -1, 1)
    return sign * (hours.astype(np.int64) * 60 + minutes) * 60 * _NS, good


def rfc3164(buffer: Bytes, starts: Offsets, ends: Offsets, arrival: Instants) -> tuple[Instants, Offsets, Mask]:
    """The time at each start, where it ends, and whether it is one. Days may be padded by a space, a zero or nothing; a
    year between day and time (Cisco) and a fraction of up to nine digits are understood."""
    cells = columns(buffer, starts, 7)
    digits = cells - np.uint8(48)
    name = (cells[0].astype(np.int64) << 16) | (cells[1].astype(np.int64) << 8) | cells[2]
    month = np.zeros(len(starts), np.int64)
    for text, number in _MONTHS.items():
        month[name == text] = number
    padded = (cells[4] == 0x20) & (digits[5] < 10) & (cells[6] == 0x20)
    two = (digits[4] < 10) & (digits[5] < 10) & (cells[6] == 0x20)
    one = (digits[4] < 10) & (cells[5] == 0x20)
    day = np.select([padded, two, one], [digits[5], _two(digits, 4), digits[4]], np.uint8(0)).astype(np.int64)
    good = (month > 0) & (cells[3] == 0x20) & (padded | two | one)
    at = starts + np.where(one & ~two, 6, 7)

    cells = columns(buffer, at, 5)
    digits = cells - np.uint8(48)
    dated = (digits[:4] < 10).all(0) & (cells[4] == 0x20)
    year = np.where(dated, _two(digits, 0).astype(np.int64) * 100 + _two(digits, 2), _FIRST_YEAR)
    at = at + np.where(dated, 5, 0)

    cells = columns(buffer, at, 18)
    digits = cells - np.uint8(48)
    good &= (cells[2] == 0x3A) & (cells[5] == 0x3A)
    for column in (0, 1, 3, 4, 6, 7):
        good &= digits[column] < 10
    hour, minute, second = (_two(digits, column) for column in (0, 3, 6))
    fraction, count = _fraction(digits[9:18], cells[8] == 0x2E)
    after = at + np.where(count > 0, count.astype(np.int64) + 9, 8)

    nearest, exists = _nearest(month, day, hour, minute, second, arrival)
    written, real = _seconds(year, month, day, hour, minute, second)
    time = np.where(dated, written * _NS, nearest) + fraction
    good &= np.where(dated, real, exists) & (after <= ends)
    return np.where(good, time, 0), np.where(good, after, starts), good


def _nearest(
    month: _Numbers, day: _Numbers, hour: Bytes, minute: Bytes, second: Bytes, arrival: Instants
) -> tuple[Instants, Mask]:
    """The instant nearest to the arrival among the years around it in which the date exists."""
    now = arrival.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    best, found = np.zeros(len(month), np.int64), np.zeros(len(month), np.bool_)
    leap = bool(((month == 2) & (day == 29)).any())
    for step in (0, -1, 1, -2, 2, -3, 3, -4, 4) if leap else (0, -1, 1):
        seconds, exists = _seconds(now + step, month, day, hour, minute, second)
        time = seconds * _NS
        better = exists & (~found | (np.abs(time - arrival) < np.abs(best - arrival)))
        best, found = np.where(better, time, best), found | exists
    return best, found


def _seconds(
    year: _Numbers,
    month: _Numbers | Bytes,
    day: _Numbers | Bytes,
    hour: _Numbers | Bytes,
    minute: _Numbers | Bytes,
    second: _Numbers | Bytes,
) -> tuple[_Numbers, Mask]:
    """Seconds since the epoch, and whether there is such a time (a leap second counts as the next second)."""
    exists = (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    exists &= (hour < 24) & (minute < 60) & (second <= 60)
    index = np.where(exists, (year - _FIRST_YEAR) * 12 + month - 1, 0)
    exists &= day <= _MONTH_DAYS.take(index)
    hours = (_MONTH_STARTS.take(index) + day - 1) * 24 + hour
    return (hours * 60 + minute) * 60 + second, exists
