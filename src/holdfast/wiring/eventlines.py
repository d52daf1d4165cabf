"""What `holdfast up` prints: one line per event. Coloured on a terminal, JSON in a pipe."""

import datetime
import json
import sys
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_green", "bright_magenta")
LEVELS = {"warning": "yellow", "error": "bold red", "critical": "bold red"}
GOOD = {"ready": "bold green"}
NAME_WIDTH = 8


class EventLines:
    """Satisfies `children.Events`."""

    def __init__(self, out: TextIO | None = None, *, json_lines: bool = False) -> None:
        self._out = out or sys.stdout
        self._console = Console(file=self._out, highlight=False, soft_wrap=True)
        self._json = json_lines or not self._console.is_terminal
        self._colours = {"up": "bold"}

    @property
    def on_terminal(self) -> bool:
        """Whether a person reads."""
        return not self._json

    def event(self, process: str, event: str, level: str = "info", **fields: str | int | float) -> None:
        """Something happened to a process."""
        now = datetime.datetime.now(datetime.UTC)
        if self._json:
            time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line: dict[str, Any] = {"time": time, "level": level, "process": process, "event": event}
            self._print(json.dumps(line | ({"fields": fields} if fields else {})))
        else:
            self._paint(now, process, event, level, fields)

    def passed(self, process: str, line: bytes) -> None:
        """A process's own log line, as it came; of what is none of ours, the text."""
        text = line.decode(errors="replace")
        found = _object(text)
        if self._json:
            self._print(text if found else json.dumps({"level": "warning", "process": process, "said": text}))
        elif found:
            fields = {**_fields(found.get("fields")), **_fields(found.get("error"))}
            self._paint(datetime.datetime.now(datetime.UTC), process, str(found["event"]), str(found["level"]), fields)
        else:
            self._paint(datetime.datetime.now(datetime.UTC), process, text, "warning", {})

    def say(self, words: Text) -> None:
        """Words for a person; nothing in a pipe."""
        if not self._json:
            self._console.print(words)

    def _paint(self, at: datetime.datetime, process: str, event: str, level: str, fields: dict[str, Any]) -> None:
        colour = self._colours.setdefault(process, COLOURS[(len(self._colours) - 1) % len(COLOURS)])
        line = Text.assemble(
            (at.strftime("%H:%M:%SZ "), "dim"),
            (f"{_plain(process):<{NAME_WIDTH}} ", colour),
            (_plain(event), LEVELS.get(level) or GOOD.get(event, "")),
        )
        for name, value in fields.items():
            line.append(f"  {_plain(name)}=", "dim")
            line.append(_plain(str(value)))
        self._console.print(line)

    def _print(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


def _plain(text: str) -> str:
    """The text without anything a terminal would obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"event", "level"} <= found.keys() else None


def _fields(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        return {}
    # Of a list (the places an error passed) the last is the telling one; the whole is in the JSON.
    told = {str(name): value[-1:] if isinstance(value, list) else value for name, value in found.items()}
    flat = {name: value for name, value in told.items() if not isinstance(value, dict)}
    return flat | {name: value for inner in found.values() if isinstance(inner, dict) for name, value in inner.items()}
