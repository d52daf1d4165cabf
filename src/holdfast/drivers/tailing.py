"""Paths to be sent: a file once to its end, or whatever files come to be at a path, across rotation.

A path that comes to name another file was rotated. The older file is read first, until the newer one has been written
to and the older one was quiet for two seconds; then its last line is taken even if it has no line end, and the newer
file's turn comes. After a restart the older file is looked for beside the path, by its inode.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from holdfast.drivers.logreading import PlainReading, open_reading
from holdfast.drivers.sendstate import SendState
from holdfast.vault.sending import FileMark

_QUIET_SECONDS = 2.0

Notice = Callable[[str, str, str], None]


class WholeFile:
    """A file to be sent once, as it is now, to its end."""

    def __init__(self, path: Path, state: SendState) -> None:
        self.reading = open_reading(path, state)
        self.reading.closed = True
        self._state = state

    def current(self) -> PlainReading:
        """The file."""
        return self.reading

    def finish(self) -> None:
        """Remember that it was read to its end."""
        if self.reading.file_id:
            self._state.finish(self.reading.mark())
        self.reading.close()


class FollowedFile:
    """A path followed across rotation: the files behind it, the oldest first."""

    def __init__(self, path: Path, state: SendState, notice: Notice) -> None:
        self._path = path
        self._state = state
        self._readings: list[PlainReading] = []
        current = _place(path)
        for mark in state.unfinished(str(path)):
            if (mark.device, mark.inode) == current:
                continue
            reading = self._rotated(mark)
            if reading:
                self._readings.append(reading)
            else:
                state.finish(mark)
                if mark.id:
                    notice("rotated-away", "a rotated file is gone before all of it was read", path.name)

    def current(self) -> PlainReading | None:
        """The reading whose turn it is, or None while no file was ever there."""
        self._look()
        while len(self._readings) > 1:
            older = self._readings[0]
            if not older.closed:
                older.size()
                quiet = time.monotonic() - older.touched >= _QUIET_SECONDS
                older.closed = quiet and self._readings[1].size() > 0
            if not (older.closed and older.exhausted()):
                return older
            if older.file_id:
                self._state.finish(older.mark())
            older.close()
            del self._readings[0]
        return self._readings[0] if self._readings else None

    def _look(self) -> None:
        place = _place(self._path)
        if place is None or (self._readings and place == _place_of(self._readings[-1])):
            return
        try:
            reading = open_reading(self._path, self._state)
        except FileNotFoundError:
            return  # rotated between the two looks; there will be a third
        for older in self._readings:
            older.touched = time.monotonic()
        # Remembered before its first line, or a rotation while this is not running would hide it.
        self._state.save(reading.mark())
        self._readings.append(reading)

    def _rotated(self, mark: FileMark) -> PlainReading | None:
        """The file that once was at the path, found beside it under whatever name it has now."""
        try:
            with os.scandir(self._path.parent) as entries:
                names = [e.path for e in entries if e.stat(follow_symlinks=False).st_ino == mark.inode]
        except OSError:
            return None
        for name in names:
            descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
            reading = PlainReading(self._path, descriptor, mark)
            if _place_of(reading) == (mark.device, mark.inode) and reading.restored:
                return reading
            reading.close()
        return None


def _place(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _place_of(reading: PlainReading) -> tuple[int, int]:
    mark = reading.mark()
    return mark.device, mark.inode
