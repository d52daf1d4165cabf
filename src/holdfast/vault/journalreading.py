"""Reading journal files, closed or still growing, beside the node that writes them.

Heads (header and directory) are read by seeking over the ciphertexts, so that a reader finds its own batches, sizes and
roots without a key and without reading what is not its own. A file in which a frame does not read is one of two things:

* torn: nothing intact follows. The last write was cut off and never acknowledged; a growing file simply ends there, and
  recovery cuts the file at `intact_end`.
* damaged: an intact frame follows, so these bytes were once durable. VerificationError, naming file and offset.

A closed file ends with its last frame; anything after it is damage.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.frames import (
    DIGEST,
    DIRECTORY,
    HEADER,
    LIMIT,
    MAGIC,
    BatchBody,
    FrameHead,
    decrypt_entry,
    parse_directory,
    parse_head,
)
from holdfast.kernel.errors import MalformedError, VerificationError

SUFFIX = ".journal"
_NAME = re.compile(r"[0-9]{8}\.journal\Z")
_CHUNK = 1 << 20


def journal_paths(folder: Path) -> list[Path]:
    """The journal files of a node's journal folder in the order of their numbers."""
    with os.scandir(folder) as found:
        return [folder / name for name in sorted(entry.name for entry in found) if _NAME.match(name)]


def journal_number(path: Path) -> int:
    """The number in a journal file's name."""
    return int(path.name.removesuffix(SUFFIX))


class JournalFile:
    """One journal file, open for reading. Offsets are bytes from its start."""

    def __init__(self, source: BinaryIO, name: str) -> None:
        self.name = name
        self._source = source

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """The file at a path, closed again at the end of the block."""
        with path.open("rb", buffering=0) as source:
            yield cls(source, path.name)

    def heads(self, start: int = 0, *, growing: bool = False) -> Iterator[FrameHead]:
        """The frames from an offset on. A growing file may end in a frame that is not whole yet: it is left out, and
        the caller asks again from the end of the last one. Contents are not checked here; `check` and `body` do."""
        size = self._source.seek(0, os.SEEK_END)
        offset = start
        while offset < size:
            try:
                head = self._head(offset, size)
            except MalformedError:
                if growing and not self._intact_after(offset + 1, size):
                    return
                raise self._damaged(offset) from None
            yield head
            offset += head.length

    def body(self, context: bytes, head: FrameHead, index: int, cipher: AESGCM) -> BatchBody:
        """What an entry of a frame holds. VerificationError if it is not what was written."""
        row = head.directory[index]
        try:
            ciphertext = self._read(head.offset + int(row["offset"]), int(row["length"]))
            return decrypt_entry(context, head, index, ciphertext, cipher)
        except (MalformedError, VerificationError):
            raise self._damaged(head.offset) from None

    def check(self, head: FrameHead) -> None:
        """VerificationError if the SHA-256 of the frame does not hold."""
        if not self._holds(head.offset, head.length):
            raise self._damaged(head.offset)

    def intact_end(self) -> int:
        """The end of the last intact frame: recovery cuts a torn tail there. VerificationError if an intact frame
        follows one that is not."""
        size = self._source.seek(0, os.SEEK_END)
        offset = 0
        while offset < size:
            try:
                head = self._head(offset, size)
                if not self._holds(offset, head.length):
                    raise MalformedError("frame-digest", "a journal frame's SHA-256 does not hold")
            except MalformedError:
                if self._intact_after(offset + 1, size):
                    raise self._damaged(offset) from None
                return offset
            offset += head.length
        return offset

    def _head(self, offset: int, size: int) -> FrameHead:
        """MalformedError if there is no frame, or not all of it."""
        prefix = self._read(offset, min(HEADER.size, size - offset))
        entries, length = parse_head(prefix, offset)
        if offset + length > size:
            raise MalformedError("frame-cut", "a journal frame is not all there", offset=offset)
        return parse_directory(prefix + self._read(offset + HEADER.size, entries * DIRECTORY.itemsize), offset)

    def _holds(self, offset: int, length: int) -> bool:
        digest = hashlib.sha256()
        end = offset + length - DIGEST
        for place in range(offset, end, _CHUNK):
            digest.update(self._read(place, min(_CHUNK, end - place)))
        return self._read(end, DIGEST) == digest.digest()

    def _intact_after(self, offset: int, size: int) -> bool:
        """Whether any intact frame begins at or after an offset (and before one could not have been torn)."""
        end = min(size, offset + LIMIT)
        for place in range(offset, end, _CHUNK):
            window = self._read(place, min(_CHUNK + len(MAGIC) - 1, size - place))
            at = window.find(MAGIC)
            while at >= 0:
                with contextlib.suppress(MalformedError):
                    if self._holds(place + at, self._head(place + at, size).length):
                        return True
                at = window.find(MAGIC, at + 1)
        return False

    def _read(self, offset: int, count: int) -> bytes:
        self._source.seek(offset)
        parts = []
        while count:
            part = self._source.read(count)
            if not part:
                raise MalformedError("frame-cut", "a journal frame is not all there", offset=offset)
            parts.append(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _damaged(self, offset: int) -> VerificationError:
        return VerificationError(
            "journal-damaged", "a journal file is not what was written", object=self.name, offset=offset
        )
