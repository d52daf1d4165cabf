"""The command line that an SSH client sends ⇄ what is asked for. Strict: an option nobody declared is refused.

    logs STREAM [--since TIME] [--until TIME] [--last N] [--follow] [--grep PATTERN] [--status CODE] [--path PATH]
                [--json] [--clear] [--line-numbers]
    streams [--json]
    prove STREAM LINE
    help

Words are split as a POSIX shell splits them, because OpenSSH joins its arguments with spaces. `--option value` and
`--option=value` are the same. Errors never repeat what was typed.
"""

import re
import shlex
from dataclasses import dataclass

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant, parse_day, parse_rfc3339, start_of
from holdfast.kernel.names import NodeName, Stream, node_name

LIMIT = 8192
"""Characters of a command."""
LAST_LIMIT = 1_000_000_000
_SECOND = 1_000_000_000
_UNITS = {"s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND, "d": 86_400 * _SECOND, "w": 604_800 * _SECOND}
_AGO = re.compile(r"([1-9][0-9]{0,5})([smhdw])\Z", re.ASCII)
_MINUTES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ?\Z", re.ASCII)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)\Z", re.ASCII)
_TEXTS = ("--since", "--until", "--last", "--grep", "--status", "--path")
_FLAGS = ("--follow", "--json", "--clear", "--line-numbers")


@dataclass(frozen=True, slots=True)
class Logs:
    """Lines of one stream. `since` (included) and `until` (not included) are instants of arrival."""

    stream: Stream
    since: Instant | None = None
    until: Instant | None = None
    last: int | None = None
    follow: bool = False
    grep: str | None = None
    status: str | None = None
    path: str | None = None
    json: bool = False
    clear: bool = False
    line_numbers: bool = False


@dataclass(frozen=True, slots=True)
class Streams:
    """What may I read here?"""

    json: bool = False


@dataclass(frozen=True, slots=True)
class Prove:
    """The proof of one line. Without a node the stream must be of one node only."""

    stream: Stream
    node: NodeName | None
    line: int


@dataclass(frozen=True, slots=True)
class Help:
    """How is this used?"""


Command = Logs | Streams | Prove | Help


def parse_command(text: str, now: Instant) -> Command:
    """The command; `now` is what `--since 1h` counts back from. MalformedError `usage` says what is wrong, in words."""
    if len(text) > LIMIT or "\0" in text:
        raise _usage("the command is too long or holds a NUL character")
    try:
        words = shlex.split(text)
    except ValueError:
        raise _usage("a quotation in the command is not closed") from None
    match words:
        case ["help" | "--help" | "-h"]:
            return Help()
        case ["logs", *rest]:
            return _logs(rest, now)
        case ["streams"]:
            return Streams()
        case ["streams", "--json"]:
            return Streams(json=True)
        case ["prove", stream, line]:
            return _prove(_stream(stream), line)
        case ["prove", *_]:
            raise _usage("prove takes a stream and a line: prove app n1:4711")
        case ["streams", *_]:
            raise _usage("streams takes no arguments but --json")
    raise _usage("the commands are logs, streams, prove and help")


def _logs(words: list[str], now: Instant) -> Logs:
    streams: list[str] = []
    texts: dict[str, str] = {}
    flags: set[str] = set()
    left = iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        if name in _TEXTS:
            if name in texts:
                raise _usage(f"{name} is given twice")
            given = value if equals else next(left, None)
            if given is None:
                raise _usage(f"{name} needs a value")
            texts[name] = given
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("-"):
            raise _usage(f"logs knows the options {' '.join((*_TEXTS, *_FLAGS))}")
        else:
            streams.append(word)
    if len(streams) != 1:
        raise _usage("logs takes one stream: logs app (quote a pattern with spaces twice, for ssh takes quotes off)")
    stream = _stream(streams[0])
    if stream is not Stream.WEB_ACCESS and ("--status" in texts or "--path" in texts):
        raise _usage("--status and --path are for the stream web-access")
    since = _instant(texts.get("--since"), now, "--since")
    until = _instant(texts.get("--until"), now, "--until")
    if until is not None and "--follow" in flags:
        raise _usage("--follow and --until exclude each other")
    if since is not None and until is not None and until <= since:
        raise _usage("--until lies before --since")
    status = texts.get("--status")
    if status is not None and not _STATUS.match(status):
        raise _usage("--status is a code like 404 or a class like 5xx")
    return Logs(
        stream,
        since,
        until,
        _last(texts.get("--last")),
        "--follow" in flags,
        texts.get("--grep"),
        status,
        texts.get("--path"),
        "--json" in flags,
        "--clear" in flags,
        "--line-numbers" in flags,
    )


def _prove(stream: Stream, line: str) -> Prove:
    node, colon, number = line.rpartition(":")
    if not _NUMBER.match(number):
        raise _usage("a line is a number, or a node and a number like n1:4711")
    try:
        return Prove(stream, node_name(node) if colon else None, int(number))
    except MalformedError:
        raise _usage("a line is a number, or a node and a number like n1:4711") from None


def _stream(word: str) -> Stream:
    try:
        return Stream(word)
    except ValueError:
        raise _usage("a stream is app, system, web-access or ssh-access") from None


def _instant(text: str | None, now: Instant, option: str) -> Instant | None:
    if text is None:
        return None
    if ago := _AGO.match(text):
        return Instant(max(0, now - int(ago[1]) * _UNITS[ago[2]]))
    try:
        if len(text) == 10:
            return start_of(parse_day(text))
        if _MINUTES.match(text):
            text = f"{text.removesuffix('Z')}:00Z"
        return max(Instant(0), parse_rfc3339(text if text.endswith("Z") else f"{text}Z"))
    except MalformedError:
        raise _usage(
            f"{option} is a time ago like 90s, 15m, 1h or 2d, a day like 2026-11-24, or a time in UTC like "
            "2026-11-24T06:04:22Z"
        ) from None


def _last(text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.match(text) or int(text) > LAST_LIMIT:
        raise _usage("--last is a number of lines")
    return int(text)


def _usage(message: str) -> MalformedError:
    return MalformedError("usage", message)
