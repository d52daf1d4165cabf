"""One log file being read, plain or gzip'd, and how it is known again.

A file is known by device and inode; that it still is the same one is told by its first bytes and by the last ones taken
(at most 256 each). If it shrank, or either differs, it was truncated or its inode used again: its next generation
begins, from the first byte, under another identity.
"""

import gzip
import hashlib
import os
import stat
import time
import zlib
from dataclasses import replace
from pathlib import Path

from holdfast.drivers.sendstate import SendState
from holdfast.formats.longlines import boundary
from holdfast.kernel.errors import MalformedError
from holdfast.vault.sending import FileMark, Piece

CHUNK = 4 << 20
"""Bytes sent at once, at most: what a node takes unless told otherwise. Each waits for an fsync: large is fast."""
_PRINT = 256


class PlainReading:
    """One generation of one open file. `closed` says that its last line counts even without a line end."""

    def __init__(self, path: Path, descriptor: int, mark: FileMark | None) -> None:
        self._path = path
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._device, self._inode = status.st_dev, status.st_ino
        self._mark = FileMark(str(path), self._device, self._inode, 0)
        self.restored = False
        self.closed = False
        self.touched = time.monotonic()
        self._size = status.st_size
        if mark is not None:
            self._mark, self.restored = replace(mark, path=str(path), finished=False), True
            if not self._same():
                self.renew()

    @property
    def name(self) -> str:
        """The base name of the path it was found at."""
        return self._path.name

    @property
    def file_id(self) -> str:
        """Its identity; empty before the first piece."""
        return self._mark.id

    @property
    def position(self) -> int:
        """Up to where it was answered."""
        return self._mark.position

    def mark(self) -> FileMark:
        """Where it stands."""
        return self._mark

    def size(self) -> int:
        """Bytes in the file now."""
        size = os.fstat(self._descriptor).st_size
        if size != self._size:
            self._size, self.touched = size, time.monotonic()
        return size

    def piece(self) -> Piece | None:
        """The next whole lines, at most CHUNK bytes; a longer line in pieces."""
        self.size()
        data = self.read(self.position, CHUNK)
        # Looked at after reading, so that what was read is known to be of the same generation.
        if not self._same():
            self.renew()
            data = self.read(0, CHUNK)
        end = data.rfind(b"\n") + 1
        final = False
        if not end:
            if len(data) == CHUNK:
                end, final = boundary(data, CHUNK), True
            elif self.closed:
                end, final = len(data), True
        if not end:
            return None
        if not self._mark.id:
            self._name_it(data[:_PRINT])
        return Piece(self.position, data[:end], final)

    def holds(self, offset: int, length: int, digest: bytes) -> bytes | None:
        """The bytes there, if they have that SHA-256."""
        data = self.read(offset, length)
        return data if len(data) == length and hashlib.sha256(data).digest() == digest else None

    def move(self, end: int, last: bytes) -> None:
        """What lies before `end` was answered; `last` are the bytes that end there."""
        tail = last[-_PRINT:]
        self._mark = replace(self._mark, position=end, tail_length=len(tail), tail=hashlib.sha256(tail).hexdigest())
        if self._mark.head_length < min(_PRINT, end):
            head = self.read(0, min(_PRINT, end))
            self._mark = replace(self._mark, head_length=len(head), head=hashlib.sha256(head).hexdigest())

    def renew(self) -> None:
        """Begin the next generation from the first byte."""
        generation = self._mark.generation + 1
        self._mark = FileMark(str(self._path), self._device, self._inode, generation)
        self.restored = False

    def exhausted(self) -> bool:
        """Whether nothing is left to read."""
        return not self.read(self.position, 1)

    def left(self) -> int | None:
        """Bytes not yet taken, or None if the file's size does not tell."""
        return max(0, self.size() - self.position)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file."""
        return os.pread(self._descriptor, length, offset)

    def _name_it(self, head: bytes) -> None:
        place = f"{self._device}:{self._inode}:{self._mark.generation}:"
        identity = hashlib.sha256(place.encode() + head).hexdigest()[:32]
        self._mark = replace(self._mark, id=identity, head_length=len(head), head=hashlib.sha256(head).hexdigest())

    def _same(self) -> bool:
        mark = self._mark
        if not mark.id:
            return True
        head = self.read(0, mark.head_length)
        tail = self.read(mark.position - mark.tail_length, mark.tail_length)
        return (
            len(head) == mark.head_length
            and hashlib.sha256(head).hexdigest() == mark.head
            and len(tail) == mark.tail_length
            and (not tail or hashlib.sha256(tail).hexdigest() == mark.tail)
        )


class GzipReading(PlainReading):
    """A gzip'd file, as the text in it; offsets are the text's. It is closed: nobody appends to it."""

    def __init__(self, path: Path, descriptor: int, mark: FileMark | None) -> None:
        self._raw = os.fdopen(os.dup(descriptor), "rb")
        self._gzip = gzip.GzipFile(fileobj=self._raw, mode="rb")
        self._start, self._window = 0, b""
        self._checked = False
        super().__init__(path, descriptor, mark)
        self._checked = True

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the text. Going forward is cheap, going back decompresses from the beginning."""
        try:
            if offset < self._start:
                self._gzip.seek(0)
                self._start, self._window = 0, b""
            while self._start + len(self._window) < offset:
                self._start += len(self._window)
                self._window = self._gzip.read(min(CHUNK, offset - self._start))
                if not self._window:
                    return b""
            kept = self._window[offset - self._start :]
            self._start, self._window = offset, kept + self._gzip.read(max(0, length - len(kept)))
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise MalformedError("gzip", "a gzip'd file is damaged or cut short", file=self.name) from None
        return self._window[:length]

    def left(self) -> int | None:
        """None: how long the text is shows only at its end."""
        return None

    def _same(self) -> bool:
        return self._checked or super()._same()

    def close(self) -> None:
        """Let go of the file."""
        self._gzip.close()
        self._raw.close()  # GzipFile leaves a file that it was given open
        super().close()


def open_reading(path: Path, state: SendState) -> PlainReading:
    """The file there, from where it was left. MalformedError if it is not a regular file; OSError as it comes."""
    # Not blocking: to open a named pipe would otherwise wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise MalformedError("not-a-file", "only regular files are sent", file=path.name)
    kind = GzipReading if os.pread(descriptor, 2, 0) == b"\x1f\x8b" else PlainReading
    return kind(path, descriptor, state.known(status.st_dev, status.st_ino))
