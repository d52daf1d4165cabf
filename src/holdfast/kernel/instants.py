"""Instants are integer nanoseconds since the epoch, UTC. Days are UTC days of arrival."""

import datetime
import re
from typing import NewType

from holdfast.kernel.errors import MalformedError

Instant = NewType("Instant", int)
Day = NewType("Day", str)
"""`yyyy-mm-dd`, so that it sorts and prints as it stands."""

DAY_NS = 86_400_000_000_000
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def day_of(instant: Instant) -> Day:
    """The UTC day an instant lies in."""
    return Day(datetime.date.fromordinal(_EPOCH + instant // DAY_NS).isoformat())


def start_of(day: Day) -> Instant:
    """The first instant of a day."""
    return Instant((datetime.date.fromisoformat(day).toordinal() - _EPOCH) * DAY_NS)


def parse_day(text: str) -> Day:
    """The day, checked to exist."""
    try:
        if _DAY.match(text):
            return Day(datetime.date.fromisoformat(text).isoformat())
    except ValueError:
        pass
    raise MalformedError("day", "a day is written yyyy-mm-dd")


def rfc3339(instant: Instant) -> str:
    """RFC 3339 UTC with nanoseconds, for example `2026-11-24T06:04:22.000000001Z`. Years 1 to 9999."""
    seconds, fraction = divmod(instant, 1_000_000_000)
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return f"{at.isoformat()}.{fraction:09d}Z"


_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z\Z", re.ASCII)


def parse_rfc3339(text: str) -> Instant:
    """The instant `rfc3339` wrote (UTC, `Z` only)."""
    found = _RFC3339.match(text)
    try:
        if found:
            at = datetime.datetime.fromisoformat(found[1])
            seconds = (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
            return Instant(seconds * 1_000_000_000 + int((found[2] or "0").ljust(9, "0")))
    except ValueError:
        pass
    raise MalformedError("time", "a time is written like 2026-11-24T06:04:22Z")
