"""How a log on this disk stands: its newest checkpoint's size and age. For people; nothing is verified here."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast.formats.checkpoints import parse_checkpoint
from holdfast.formats.notes import NOTE_LIMIT, parse_note
from holdfast.formats.tiles import CHECKPOINT
from holdfast.kernel.errors import MalformedError


@dataclass(frozen=True, slots=True)
class LogStanding:
    """The log's size in entries, and how long ago its checkpoint was written."""

    size: int
    age_seconds: int

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def log_standing(folder: Path) -> LogStanding | None:
    """How the log in a folder stands; None if it has no checkpoint that reads."""
    try:
        with (folder / CHECKPOINT).open("rb") as file:
            data = file.read(NOTE_LIMIT)
            written = (folder / CHECKPOINT).stat().st_mtime
        return LogStanding(parse_checkpoint(parse_note(data).text).size, max(0, int(time.time() - written)))
    except (OSError, MalformedError):
        return None
