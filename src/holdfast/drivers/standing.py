"""The standing of processes: what `holdfast up` knows of its children, in a file that the console and `status` read.

Written anew at each change, by rename, so that a reader sees one whole state. Not synced: it means nothing after a
power cut.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Standing:
    """One process. `state` is starting, ready, waiting (to be restarted), stopping or stopped; `since` in seconds since
    the epoch."""

    name: str
    state: str
    pid: int | None
    since: int
    restarts: int

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def write_standing(path: Path, standing: Sequence[Standing]) -> None:
    """Say how things stand."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"processes": [one.value() for one in standing]}, file)
    temporary.rename(path)


def read_standing(path: Path) -> list[Standing]:
    """How things stood last; nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(LIMIT))
        return [Standing(**one) for one in found["processes"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []
