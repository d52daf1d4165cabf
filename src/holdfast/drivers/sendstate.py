"""The folder in which `holdfast send` remembers: who it is, how far each file was taken, and the promises it holds.

    lock        held while a send runs: one at a time
    state.json  sender, node, and a mark per file; replaced atomically
    promises    one JSON line per promise, only ever appended to

Both are durable before the call returns. A crash may leave `promises` with half a line, which the next start cuts off
(nothing rested on it: the position moves only after the whole line is durable), or with a promise written twice.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path

from holdfast.drivers.durable import sync_folder, write_private
from holdfast.formats import canonical
from holdfast.formats.promises import SignedPromise
from holdfast.kernel.errors import ConfigurationError, ConflictError, MalformedError
from holdfast.kernel.names import EnvironmentName, Stream
from holdfast.vault.sending import FileMark, Piece

_MARKS = 200
"""Marks of files read to their end that are remembered."""
_LIMIT = 16 << 20


class SendState:
    """The folder, locked. Close it to let another send in."""

    def __init__(
        self, folder: Path, node: str, environment: EnvironmentName, stream: Stream, new_id: Callable[[], str]
    ) -> None:
        """Open or make it. ConfigurationError if it belongs to another stream, ConflictError if it is in use."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise ConflictError(
                "state-in-use", "another holdfast send uses this state folder; give this one its own with --state"
            ) from None
        try:
            self._open(node, environment, stream, new_id)
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self, node: str, environment: EnvironmentName, stream: Stream, new_id: Callable[[], str]) -> None:
        self._belongs = {"environment": environment, "stream": stream.value}
        self._marks: dict[tuple[int, int], FileMark] = {}
        self.sender, known_node = "", ""
        if (self.folder / "state.json").exists():
            self.sender, known_node = self._load()
        # Another node knows nothing of what the first one took: it must not take this sender for one it has a
        # position of from earlier, so it meets a new one.
        self.moved = bool(known_node) and known_node != node
        self.node = node
        if not self.sender or self.moved:
            self.sender = new_id()
            self._write()
        self._promises = os.open(self.folder / "promises", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        _cut_half_line(self._promises)
        sync_folder(self.folder)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._promises)
        os.close(self._lock)

    def known(self, device: int, inode: int) -> FileMark | None:
        """The mark of a file, if there is one."""
        return self._marks.get((device, inode))

    def unfinished(self, path: str) -> Iterator[FileMark]:
        """Marks of files that were followed at this path and not read to their end, oldest first."""
        return iter([mark for mark in self._marks.values() if mark.path == path and not mark.finished])

    def keep(self, mark: FileMark, piece: Piece, promise: SignedPromise) -> None:
        """Append the promise with what it is for; durable when it returns."""
        value: dict[str, canonical.Json] = {
            "path": mark.path,
            "file": mark.id,
            "offset": str(piece.offset),
            "length": str(len(piece.data)),
            "digest": hashlib.sha256(piece.data).hexdigest(),
            "promise": promise.value(),
        }
        line = json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        if os.write(self._promises, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder / "promises"))
        os.fdatasync(self._promises)

    def save(self, mark: FileMark) -> None:
        """Replace the file's mark; durable when it returns."""
        self._put(mark)

    def finish(self, mark: FileMark) -> None:
        """The file was read to its end, or is gone."""
        self._put(replace(mark, finished=True))

    def _put(self, mark: FileMark) -> None:
        place = mark.device, mark.inode
        self._marks.pop(place, None)
        self._marks[place] = mark
        finished = [known for known, other in self._marks.items() if other.finished]
        for known in finished[: max(0, len(finished) - _MARKS)]:
            del self._marks[known]
        self._write()

    def _write(self) -> None:
        files = [{name: _written(value) for name, value in asdict(mark).items()} for mark in self._marks.values()]
        value = {"v": 1, "node": self.node, "sender": self.sender, **self._belongs, "files": files}
        write_private(self.folder / "state.json", json.dumps(value, indent=1).encode() + b"\n")

    def _load(self) -> tuple[str, str]:
        try:
            with (self.folder / "state.json").open("rb") as file:
                value = json.loads(file.read(_LIMIT))
            if {name: value[name] for name in self._belongs} != self._belongs:
                raise ConfigurationError(
                    "state-of-another",
                    "this state folder belongs to another environment or stream; give this one its own with --state",
                )
            for row in value["files"]:
                mark = _mark(row)
                self._marks[mark.device, mark.inode] = mark
            return str(value["sender"]), str(value["node"])
        except (KeyError, TypeError, ValueError, MalformedError):
            raise ConfigurationError(
                "state-damaged", "state.json does not read; restore it, or begin anew with an empty state folder"
            ) from None


def _written(value: object) -> object:
    # Inode numbers may pass 2^53, where other JSON readers lose digits.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _mark(row: dict[str, str | bool]) -> FileMark:
    values: dict[str, object] = {}
    for field in fields(FileMark):
        value = row[field.name]
        if field.type is int:
            if not (isinstance(value, str) and value.isascii() and value.isdigit()):
                raise ValueError
            values[field.name] = int(value)
        elif (field.type is bool and isinstance(value, bool)) or (field.type is str and isinstance(value, str)):
            values[field.name] = value
        else:
            raise TypeError
    return FileMark(**values)  # type: ignore[arg-type]


def _cut_half_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 1 << 16, max(0, size - (1 << 16)))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)
        os.fsync(descriptor)
