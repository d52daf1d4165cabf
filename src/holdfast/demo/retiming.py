"""Old lines made to speak of now: the first time that a line writes itself is replaced, the rest stays as it was."""

import re
from collections.abc import Callable
from datetime import datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def month(now: datetime) -> str:
    """`Nov`, whatever the locale."""
    return _MONTHS[now.month - 1]


_FORMS: tuple[tuple[re.Pattern[str], Callable[[datetime], str]], ...] = (
    (  # web servers' access lines
        re.compile(r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"),
        lambda now: f"[{now.day:02}/{month(now)}/{now:%Y:%H:%M:%S} +0000]",
    ),
    (  # nginx's error log
        re.compile(r"\A\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"),
        lambda now: f"{now:%Y/%m/%d %H:%M:%S}",
    ),
    (  # Laravel
        re.compile(r"\A\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]"),
        lambda now: f"[{now:%Y-%m-%d %H:%M:%S}]",
    ),
    (  # PostgreSQL
        re.compile(r"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Z]+ "),
        lambda now: f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03} UTC ",
    ),
    (  # uWSGI
        re.compile(r"\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\]"),
        lambda now: f"[{_DAYS[now.weekday()]} {month(now)} {now.day:2} {now:%H:%M:%S %Y}]",
    ),
)


def retimed(line: str, now: datetime) -> str:
    """The line, as if written at `now` (UTC)."""
    for form, spelled in _FORMS:
        found = form.search(line)
        if found:
            return line[: found.start()] + spelled(now) + line[found.end() :]
    return line
