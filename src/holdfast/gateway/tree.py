"""The tree that SFTP shows: paths ⇄ places. Pure.

/                                       the streams, and `clear`
/<stream>/<yyyy-mm-dd>.log              a day, with pseudonyms
/<stream>/<yyyy-mm-dd>.<node>.log       the same, where a day has lines of several nodes
/clear/<stream>/...                     with addresses, for those entitled
"""

import posixpath
import re
from dataclasses import dataclass

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Day, parse_day
from holdfast.kernel.names import Form, NodeName, Stream, node_name

PATH_LIMIT = 4096
_LOG = re.compile(r"([0-9-]{10})(?:\.([a-z0-9-]{1,63}))?\.log\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Root:
    """The top, or `clear` below it."""

    form: Form


@dataclass(frozen=True, slots=True)
class StreamFolder:
    """The days of a stream."""

    stream: Stream
    form: Form


@dataclass(frozen=True, slots=True)
class LogFile:
    """A day; of the only node it has lines of, if none is named."""

    stream: Stream
    form: Form
    day: Day
    node: NodeName | None


TreePlace = Root | StreamFolder | LogFile


def normalised(path: bytes) -> str | None:
    """The absolute path without `.`, `..` and doubled slashes; None if it is no text or too long."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return None
    if len(path) > PATH_LIMIT or "\0" in text:
        return None
    return "/" + posixpath.normpath("/" + text).lstrip("/")


def place_of(path: bytes) -> TreePlace | None:
    """What a path stands for, whether it is there or not; None if nothing could be there."""
    text = normalised(path)
    if text is None:
        return None
    names = [name for name in text.split("/") if name]
    form = Form.PSEUDONYM
    if names and names[0] == "clear":
        form = Form.CLEAR
        names = names[1:]
    if not names:
        return Root(form)
    if names[0] not in tuple(Stream) or len(names) > 2:
        return None
    stream = Stream(names[0])
    if len(names) == 1:
        return StreamFolder(stream, form)
    found = _LOG.match(names[1])
    try:
        return LogFile(stream, form, parse_day(found[1]), node_name(found[2]) if found[2] else None) if found else None
    except MalformedError:
        return None


def file_name(day: Day, node: NodeName, alone: bool) -> str:
    """The file's name; `alone`: the day has lines of this node only."""
    return f"{day}.log" if alone else f"{day}.{node}.log"
