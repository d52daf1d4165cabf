"""A line on the wire, as senders spell it: RFC 5424 or RFC 3164, octet-counted or ended by LF (RFC 6587)."""

from datetime import datetime
from enum import Enum

from holdfast.demo.retiming import month, retimed
from holdfast.demo.samples import Sample


class Dialect(Enum):
    """What a host's syslog daemon speaks."""

    RFC5424 = "rfc5424"
    RFC3164 = "rfc3164"


def spelled(sample: Sample, host: str, dialect: Dialect, now: datetime) -> bytes:
    """The line without its frame; `now` is UTC."""
    priority = sample.facility * 8 + sample.severity
    message = retimed(sample.message, now)
    if dialect is Dialect.RFC5424:
        time = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06}Z"
        return f"<{priority}>1 {time} {host} {sample.program} {sample.procid or '-'} - - {message}".encode()
    time = f"{month(now)} {now.day:2} {now:%H:%M:%S}"
    tag = f"{sample.program}[{sample.procid}]" if sample.procid else sample.program
    return f"<{priority}>{time} {host} {tag}: {message}".encode()


def framed(line: bytes, *, counted: bool) -> bytes:
    """The line in its frame."""
    return b"%d %s" % (len(line), line) if counted else line + b"\n"
