"""What the vault needs of the outside world, in its own words. Drivers satisfy these."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from holdfast.kernel.instants import Instant
from holdfast.kernel.keys import DataKey, KeyRequest
from holdfast.kernel.names import KeyId
from holdfast.kernel.segments import SegmentEntry


class Clock(Protocol):
    """The node's clock."""

    def now(self) -> Instant:
        """Nanoseconds since the epoch, UTC."""


class Randomness(Protocol):
    """Where secrets, salts and ids come from."""

    def bytes(self, count: int) -> bytes:
        """That many unpredictable bytes."""


class Store(Protocol):
    """Objects by name: durable, created only if absent, never changed.

    Names are relative, `/`-separated. When `create` returns, object and name survive a power cut.
    """

    def create(self, name: str, data: bytes) -> None:
        """Make the object. ConflictError `object-exists` if the name is taken, BusyError `no-space` on a full disk."""

    def writing(self, name: str) -> "AbstractContextManager[BinaryIO]":
        """Stream a new object; it appears, durable and whole, when the block ends without an error."""

    def replace(self, name: str, data: bytes) -> None:
        """Atomically replace the one kind of object that changes (a checkpoint, a partial tile), durably."""

    def read(self, name: str) -> bytes:
        """The object's bytes. ConflictError `object-missing` if it is not there."""

    def open(self, name: str) -> BinaryIO:
        """The object for seeking and reading. ConflictError `object-missing` if it is not there."""

    def exists(self, name: str) -> bool:
        """Whether the object is there."""

    def delete(self, name: str) -> None:
        """Remove the object, durably. Quiet if it is not there."""

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every object's name below a prefix, sorted; unfinished temporary files are left out."""


class KeySource(Protocol):
    """The keeper, as a node sees it."""

    def make_keys(self, requests: Sequence[KeyRequest]) -> Sequence[DataKey]:
        """New keys, in order (for a pseudonym: the day's key, made once, only for today).

        RefusedError if policy denies, BusyError if the keeper cannot be reached.
        """

    def open_keys(self, ids: Sequence[KeyId]) -> Mapping[KeyId, DataKey]:
        """The node's own journal and state keys again, after a restart. Destroyed ones are left out."""

    def sealed(self, segments: Sequence[SegmentEntry], journal_keys: Sequence[KeyId]) -> None:
        """Enter segments in the catalogue and destroy the journal keys, one transaction. Repeating it changes
        nothing."""


class JournalStore(Protocol):
    """A node's journal files, numbered from 0 without a gap up to the newest, which alone is appended to."""

    def numbers(self) -> Sequence[int]:
        """The files there are, ascending."""

    def open(self, number: int) -> BinaryIO:
        """A file, for reading. ConflictError `journal-missing` if it is not there."""

    def create(self, number: int, parts: Sequence[bytes]) -> None:
        """A new newest file holding these bytes, file and name durable. BusyError `no-space` leaves no file."""

    def append(self, number: int, parts: Sequence[bytes]) -> None:
        """Add to the newest file, durable when it returns. BusyError `no-space` leaves the file as it was;
        OutcomeUnknownError if the disk failed: the process must stop and recover."""

    def truncate(self, number: int, size: int) -> None:
        """Cut a torn tail off the newest file, durably."""

    def delete(self, number: int) -> None:
        """Remove a file, durably. Quiet if it is not there."""


class LogSink(Protocol):
    """A transparency log to append to (vault.integrating)."""

    @property
    def size(self) -> int:
        """Entries committed."""

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries and publish a signed checkpoint; durable when it returns."""
