"""What `holdfast send` tells whoever watches: progress on a terminal, JSON lines if asked, else how it ended."""

import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from holdfast.formats.promises import SignedPromise
from holdfast.kernel.errors import BusyError
from holdfast.vault.sending import Piece, Reading


class SendReport:
    """Satisfies vault.sending.Report."""

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._lines = 0
        self._bytes = 0
        self._promises = 0
        self._busy = False
        self._stopped = False
        self._began = time.monotonic()
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._task = TaskID(-1)

    def start(self, total: int | None) -> None:
        """Show a bar for that many bytes (None: not known), on a terminal."""
        if self._console.is_terminal and not self._json:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._progress = Progress(*columns, TextColumn("{task.fields[rate]}"), console=self._console)
            self._task = self._progress.add_task("sending", total=total, rate="")
            self._progress.start()

    def taken(self, reading: Reading, piece: Piece, promise: SignedPromise) -> None:
        """A piece was answered with a promise."""
        if self._busy:
            self._busy = False
            self.say("the node answers again")
        lines = piece.data.count(b"\n") + (not piece.data.endswith(b"\n"))
        self._lines += lines
        self._bytes += len(piece.data)
        self._promises += 1
        if self._json:
            self._print({"kind": "promise", "file": reading.name, "lines": lines, **promise.value()})
        if self._progress:
            rate = f"{self._lines / max(time.monotonic() - self._began, 1e-3):,.0f} lines/s"
            self._progress.update(self._task, advance=len(piece.data), rate=rate)

    def waiting(self, error: BusyError) -> None:
        """The node is busy or away."""
        if not self._busy:
            self._busy = True
            self.say(f"{error.message}; trying again")

    def notice(self, code: str, message: str, name: str) -> None:
        """Something out of the ordinary, about a file."""
        if self._json:
            self._print({"kind": "notice", "code": code, "message": message, "file": name})
        else:
            self.say(f"{name}: {message}")

    def say(self, words: str) -> None:
        """One line on standard error."""
        self._console.print(f"holdfast send: {words}", markup=False)

    def stopped(self) -> None:
        """A signal ended it."""
        self._stopped = True

    def end(self) -> None:
        """Take the bar away."""
        if self._progress:
            self._progress.stop()
            self._progress = None

    def summary(self, promises: Path) -> None:
        """The last line: what was taken."""
        if self._json:
            counts = {"lines": self._lines, "bytes": self._bytes, "promises": self._promises}
            self._print({"kind": "end", **counts, "stopped": self._stopped, "promises_file": str(promises)})
            return
        end = " before it was stopped" if self._stopped else ""
        print(f"{self._lines:,} lines taken, {self._promises:,} promises kept in {promises}{end}")

    def _print(self, value: object) -> None:
        sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
        sys.stdout.flush()
