"""A process's own log: JSON lines on standard error, one object each. What happened, never what a line said.

`time`, `level`, `process`, `event` (the message) and whatever fields the record carries under `fields`. Of an exception
only its type and the places it passed are told, for its words may hold what somebody sent.
"""

import datetime
import json
import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from holdfast.kernel.errors import HoldfastError

OWN = "holdfast"
QUIET = ("asyncssh", "uvicorn", "asyncio", "django")
"""Libraries that have much to say. Only the template of it is told (`%s: %s`), never what fills it: it may be what a
client typed."""


class JsonLines(logging.Formatter):
    """One JSON object a record."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "event": record.getMessage() if record.name.startswith(OWN) else _template(record),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line["fields"] = fields
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = told(record.exc_info[1])
        return json.dumps(line, default=str)


def _template(record: logging.LogRecord) -> str:
    """What a library means to say, without what fills it; a bare `%s: %s` means nothing."""
    text = str(record.msg).replace("%s", "")
    return text[:200] if any(char.isalpha() for char in text) else f"{record.name} says so"


def told(error: BaseException) -> dict[str, Any]:
    """What may be said of an error: its code if it is ours, else its type and the places it passed."""
    if isinstance(error, HoldfastError):
        return {"code": error.code, "message": error.message, "fields": dict(error.fields)}
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"type": type(error).__name__, "places": places[-12:]}


def start(process: str) -> None:
    """Log as this process, from now on; what nobody caught is logged too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("django.request").setLevel(logging.ERROR)  # a page that is not there is nobody's trouble
    log = logging.getLogger("holdfast")

    def uncaught(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        log.critical("uncaught error", exc_info=(kind, error, error.__traceback__))

    def thread_uncaught(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = thread_uncaught
