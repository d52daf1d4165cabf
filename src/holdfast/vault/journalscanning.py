"""What a node's journal files say without a key, kept up with while the node writes them.

Only whole frames are seen: a frame still being written is longer than its file. A file is opened for each look and
closed again, so that the node may delete it at any time; its batches are then gone from here at the next `refresh`.
One index serves every reader of a node; any thread may use it.
"""

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.frames import (
    DIGEST,
    DIRECTORY,
    HEADER,
    STATE,
    BatchBody,
    Directory,
    FrameHead,
    decrypt_entry,
    parse_directory,
    parse_head,
)
from holdfast.kernel.errors import ConflictError, MalformedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import KeyId
from holdfast.vault.readingports import JournalFolder

_FRAMES = np.dtype([("number", "<i8"), ("offset", "<i8"), ("flush", "<u8"), ("time", "<i8")])
_CHUNKS = 256

FrameRows = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class JournalBatches:
    """Batches in the order of their lines: directory rows, and for each the frame it lies in."""

    rows: Directory
    frames: FrameRows

    def __len__(self) -> int:
        return len(self.rows)

    def from_line(self, line: int) -> "JournalBatches":
        """Those that hold nothing before a line."""
        keep = self.rows["first"] >= line
        return JournalBatches(self.rows[keep], self.frames[keep])

    def runs(self) -> "list[JournalBatches]":
        """Apart where a number is missing."""
        if not len(self):
            return []
        ends = self.rows["first"] + self.rows["count"]
        cuts = [0, *(np.flatnonzero(self.rows["first"][1:] != ends[:-1]) + 1).tolist(), len(self)]
        return [JournalBatches(self.rows[low:high], self.frames[low:high]) for low, high in itertools.pairwise(cuts)]

    def body(self, i: int, source: BinaryIO, context: bytes, cipher: AESGCM) -> BatchBody:
        """What the ith batch holds, read from its opened file. VerificationError if it is not what was written."""
        frame, row = self.frames[i], self.rows[i : i + 1]
        source.seek(int(frame["offset"]) + int(row["offset"][0]))
        ciphertext = source.read(int(row["length"][0]))
        head = FrameHead(int(frame["flush"]), Instant(int(frame["time"])), int(frame["offset"]), 0, row)
        return decrypt_entry(context, head, 0, ciphertext, cipher)


class _Scan:
    """One file: rows so far, and where the next frame begins."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.offset = 0
        self.complete = False
        self.keys: set[KeyId] = set()
        self._rows: list[Directory] = [np.zeros(0, DIRECTORY)]
        self._frames: list[FrameRows] = [np.zeros(0, _FRAMES)]

    def advance(self, source: BinaryIO) -> None:
        """Take in the frames written since the last look."""
        size = source.seek(0, 2)
        while self.offset + HEADER.size + DIGEST <= size:
            source.seek(self.offset)
            prefix = source.read(HEADER.size)
            try:
                entries, length = parse_head(prefix, self.offset)
                if self.offset + length > size:
                    return
                head = parse_directory(prefix + source.read(entries * DIRECTORY.itemsize), self.offset)
            except MalformedError:
                return  # torn; the node's recovery and `verify` say what it is
            self._add(head)
            self.offset += length

    def _add(self, head: FrameHead) -> None:
        rows = head.directory[(head.directory["flags"] & STATE) == 0]
        if not len(rows):
            return
        frames = np.zeros(len(rows), _FRAMES)
        frames[:] = (self.number, head.offset, head.flush, head.time)
        self._rows.append(rows)
        self._frames.append(frames)
        self.keys.update(KeyId(bytes(key).hex()) for key in rows["key"])

    def under(self, keys: Iterable[KeyId]) -> list[tuple[Directory, FrameRows]]:
        if len(self._rows) > _CHUNKS:
            self._rows, self._frames = [np.concatenate(self._rows)], [np.concatenate(self._frames)]
        wanted = [np.frombuffer(bytes.fromhex(key), "<u8") for key in keys]
        return [_under(wanted, *part) for part in zip(self._rows, self._frames, strict=True)] if wanted else []


def _under(wanted: list[npt.NDArray[np.uint64]], rows: Directory, frames: FrameRows) -> tuple[Directory, FrameRows]:
    halves = np.ascontiguousarray(rows["key"]).view("<u8").reshape(-1, 2)
    keep = np.zeros(len(rows), np.bool_)
    for low, high in wanted:
        keep |= (halves[:, 0] == low) & (halves[:, 1] == high)
    return rows[keep], frames[keep]


class JournalIndex:
    """The journal of one node."""

    def __init__(self, folder: JournalFolder) -> None:
        self._folder = folder
        self._scans: dict[int, _Scan] = {}
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Take in what was written, and forget files that are gone."""
        with self._lock:
            numbers = list(self._folder.numbers())
            self._scans = {number: self._scans.get(number) or _Scan(number) for number in numbers}
            for number, scan in list(self._scans.items()):
                if scan.complete:
                    continue
                try:
                    with self._folder.open(number) as source:
                        scan.advance(source)
                except ConflictError:
                    del self._scans[number]
                    continue
                scan.complete = number < numbers[-1]  # a file is left for good once there is a newer one

    def key_ids(self) -> frozenset[KeyId]:
        """The key ids of everything in the files."""
        with self._lock:
            return frozenset().union(*(scan.keys for scan in self._scans.values()))

    def under(self, keys: Iterable[KeyId]) -> JournalBatches:
        """The batches under these keys, ascending by line number."""
        wanted = list(keys)
        with self._lock:
            found = [
                part
                for scan in self._scans.values()
                for part in scan.under([key for key in wanted if key in scan.keys])
            ]
        rows = np.concatenate([np.zeros(0, DIRECTORY), *(part[0] for part in found)])
        frames = np.concatenate([np.zeros(0, _FRAMES), *(part[1] for part in found)])
        order = np.argsort(rows["first"], kind="stable")
        return JournalBatches(rows[order], frames[order])

    def open(self, number: int) -> BinaryIO:
        """A file. ConflictError `journal-missing` if the node has deleted it."""
        return self._folder.open(number)
