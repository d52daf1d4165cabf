"""Real lines, by what wrote them. From the files in `data/`, whose README says where each comes from."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("data")
WEB = "elastic-examples/Common Data Formats/apache_logs/apache_logs"
APPLICATION = "lnav/test/logfile_laravel.0"
LINE_LIMIT = 8192
FILE_LIMIT = 16 << 20

_AUTHPRIV, _DAEMON, _LOCAL6, _LOCAL7 = 10, 3, 22, 23
_INFO, _WARNING, _ERROR = 6, 4, 3
_SYSLOG = re.compile(r"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d [^ ]+ ([^ :\[]+)(?:\[(\d+)\])?: (.+)\Z", re.ASCII)
_NGINX_ERROR = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:error|warn|crit)\] ", re.ASCII)
_POSTGRES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Z]+ \[\d+\] [A-Z]+: ", re.ASCII)
_UWSGI = re.compile(r"\[pid: \d+\|app: ", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sample:
    """A line as a program said it to syslog. `procid` may be empty."""

    program: str
    procid: str
    facility: int
    severity: int
    message: str


def web(program: str, first: int, last: int) -> list[Sample]:
    """Access lines in the combined format, as if that web server had written them."""
    return [Sample(program, "", _LOCAL7, _INFO, line) for line in list(_lines(WEB))[first:last]]


def web_errors() -> list[Sample]:
    """What nginx puts into its error log."""
    found = _matching("crowdsec-hub/tests/*nginx*/*.log", _NGINX_ERROR.match)
    return [Sample("nginx", "", _LOCAL7, _ERROR, line) for line in found]


def logins() -> list[Sample]:
    """What sshd says of those who knock."""
    return [
        Sample(found[1], found[2] or "", _AUTHPRIV, _INFO, found[3].strip())
        for line in _matching("crowdsec-hub/tests/sshd-*/*.log", _SYSLOG.match)
        if (found := _SYSLOG.match(line)) and found[1] in ("sshd", "sshd-session")
    ]


def system() -> list[Sample]:
    """automount, sudo, exim: a host's own programs."""
    patterns = ("lnav/test/logfile_syslog.[01]", "lnav/test/logfile_rollover.2", "crowdsec-hub/tests/exim*/*.log")
    return [
        Sample(found[1], found[2] or "", _DAEMON, _INFO, found[3])
        for pattern in patterns
        for line in _matching(pattern, _SYSLOG.match)
        if (found := _SYSLOG.match(line))
    ]


def database() -> list[Sample]:
    """PostgreSQL."""
    found = _matching("lnav/test/logfile_postgres.[01]", _POSTGRES.match)
    return [Sample("postgres", "", _LOCAL6, _WARNING, line) for line in found]


def application() -> list[Sample]:
    """An application served by uWSGI."""
    return [Sample("uwsgi", "", _LOCAL6, _INFO, line) for line in _matching("lnav/test/logfile_uwsgi.0", _UWSGI.match)]


def application_file() -> list[str]:
    """An application's own log file (Laravel's), line by line, stack traces and all."""
    return list(_lines(APPLICATION))


def strangers() -> list[Sample]:
    """A machine that nobody has declared."""
    return [
        Sample(found[1], found[2] or "", _DAEMON, _INFO, found[3])
        for line in _matching("lnav/test/logfile_syslog.2", _SYSLOG.match)
        if (found := _SYSLOG.match(line))
    ]


def _matching(pattern: str, wanted: Callable[[str], object]) -> Iterator[str]:
    for path in sorted(DATA.glob(pattern)):
        yield from filter(wanted, _lines(path.relative_to(DATA).as_posix()))


def _lines(name: str) -> Iterator[str]:
    with (DATA / name).open("rb") as file:
        text = file.read(FILE_LIMIT).decode(errors="replace")
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if line and len(line) <= LINE_LIMIT:
            yield line
