"""Journal files on a local disk: `<8 digits>.journal`, each appended to with write and fdatasync.

An append that finds the disk full is cut back to where it began, so that the file never holds half a frame of a
running node; one that fails in fdatasync leaves the outcome unknown (the kernel may have dropped the pages), so the
process has to stop and read back what the disk really holds.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from holdfast.drivers.durable import sync_folder
from holdfast.drivers.readingfiles import JournalFiles
from holdfast.kernel.errors import BusyError, OutcomeUnknownError

_AT_ONCE = 1024  # IOV_MAX
_FULL = (errno.ENOSPC, errno.EDQUOT)


class PosixJournal(JournalFiles):
    """The journal folder of one node. Satisfies vault.ports.JournalStore; one writer at a time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(self._folder)
        self._newest: tuple[int, int] | None = None

    def create(self, number: int, parts: Sequence[bytes]) -> None:
        """A new newest file holding these bytes."""
        try:
            fd = os.open(self.path(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _translated(error) from None
        try:
            _write(fd, parts)
        except OSError as error:
            os.close(fd)
            self.path(number).unlink()
            raise _translated(error) from None
        _sync(fd)
        sync_folder(self._folder)
        self._adopt(number, fd)

    def append(self, number: int, parts: Sequence[bytes]) -> None:
        """Add to the newest file."""
        fd = self._descriptor(number)
        size = os.fstat(fd).st_size
        try:
            _write(fd, parts)
        except OSError as error:
            os.ftruncate(fd, size)
            raise _translated(error) from None
        _sync(fd)

    def truncate(self, number: int, size: int) -> None:
        """Cut a torn tail off."""
        fd = self._descriptor(number)
        os.ftruncate(fd, size)
        os.fsync(fd)

    def delete(self, number: int) -> None:
        """Remove a file."""
        if self._newest and self._newest[0] == number:
            os.close(self._newest[1])
            self._newest = None
        self.path(number).unlink(missing_ok=True)
        sync_folder(self._folder)

    def _descriptor(self, number: int) -> int:
        if self._newest is None or self._newest[0] != number:
            self._adopt(number, os.open(self.path(number), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        assert self._newest is not None
        return self._newest[1]

    def _adopt(self, number: int, fd: int) -> None:
        if self._newest is not None:
            os.close(self._newest[1])
        self._newest = (number, fd)


def _write(fd: int, parts: Sequence[bytes]) -> None:
    for at in range(0, len(parts), _AT_ONCE):
        some = [memoryview(part) for part in parts[at : at + _AT_ONCE] if part]
        while some:
            written = os.writev(fd, some)
            while some and written >= len(some[0]):
                written -= len(some.pop(0))
            if written:
                some[0] = some[0][written:]


def _sync(fd: int) -> None:
    try:
        os.fdatasync(fd)
    except OSError:
        raise OutcomeUnknownError("journal-sync", "the disk did not confirm what was written to the journal") from None


def _translated(error: OSError) -> Exception:
    if error.errno in _FULL:
        return BusyError("no-space", "there is no space left on the journal's disk")
    return OutcomeUnknownError("journal-write", "the journal could not be written")
