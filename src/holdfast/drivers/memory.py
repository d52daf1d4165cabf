"""Every port in memory, breakable on purpose. What has returned survives; nothing else does.

`Faults` counts the effects of all the fakes that share it and pulls the plug before or after the nth one lands, so that
a test can stop a sequence of writes on each side of every write and start again on what was left.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from holdfast.kernel.errors import ConflictError, RefusedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.keys import DataKey, KeyKind, KeyRequest
from holdfast.kernel.names import EnvironmentName, KeyId
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry


class PowerCut(Exception):
    """The plug was pulled, on purpose."""


class Faults:
    """Pulls the plug at the nth effect (from 0): before it lands, or after. `None` never does."""

    def __init__(self, at: int | None = None, *, landed: bool = False, error: Exception | None = None) -> None:
        self.count = 0
        self._at = at
        self._landed = landed
        self._error = error

    @contextlib.contextmanager
    def effect(self) -> Iterator[None]:
        """Surround the one statement that makes a change."""
        due = self.count == self._at
        self.count += 1
        if due and not self._landed:
            raise self._error or PowerCut
        yield
        if due:
            raise self._error or PowerCut


class MemoryStore:
    """Objects in a dictionary; satisfies `vault.ports.Store`."""

    def __init__(self, objects: dict[str, bytes] | None = None, faults: Faults | None = None) -> None:
        self.objects = {} if objects is None else objects
        self.faults = faults or Faults()

    def create(self, name: str, data: bytes) -> None:
        """Make the object. ConflictError `object-exists` if the name is taken."""
        if name in self.objects:
            raise ConflictError("object-exists", "the store holds an object of this name already", object=name)
        with self.faults.effect():
            self.objects[name] = bytes(data)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Stream a new object; it appears when the block ends without an error."""
        sink = io.BytesIO()
        yield sink
        self.create(name, sink.getvalue())

    def replace(self, name: str, data: bytes) -> None:
        """Put these bytes in the object's place."""
        with self.faults.effect():
            self.objects[name] = bytes(data)

    def read(self, name: str) -> bytes:
        """The object's bytes. ConflictError `object-missing` if it is not there."""
        if name not in self.objects:
            raise ConflictError("object-missing", "the store does not hold this object", object=name)
        return self.objects[name]

    def open(self, name: str) -> BinaryIO:
        """The object for seeking and reading. ConflictError `object-missing` if it is not there."""
        return io.BytesIO(self.read(name))

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        return name in self.objects

    def delete(self, name: str) -> None:
        """Remove the object. Quiet if it is not there."""
        if name in self.objects:
            with self.faults.effect():
                del self.objects[name]

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every object's name that begins with the prefix, sorted."""
        return iter(sorted(name for name in self.objects if name.startswith(prefix)))


class MemoryJournalStore:
    """Journal files in a dictionary; satisfies `vault.ports.JournalStore`."""

    def __init__(self, files: dict[int, bytes] | None = None, faults: Faults | None = None) -> None:
        self.files = {} if files is None else files
        self.faults = faults or Faults()

    def numbers(self) -> Sequence[int]:
        """The files there are, ascending."""
        return sorted(self.files)

    def open(self, number: int) -> BinaryIO:
        """A file, for reading. ConflictError `journal-missing` if it is not there."""
        if number not in self.files:
            raise ConflictError("journal-missing", "there is no journal file of this number", number=number)
        return io.BytesIO(self.files[number])

    def create(self, number: int, parts: Sequence[bytes]) -> None:
        """A new newest file."""
        if number in self.files:
            raise ConflictError("journal-exists", "there is a journal file of this number already", number=number)
        with self.faults.effect():
            self.files[number] = b"".join(parts)

    def append(self, number: int, parts: Sequence[bytes]) -> None:
        """Add to a file."""
        with self.faults.effect():
            self.files[number] += b"".join(parts)

    def truncate(self, number: int, size: int) -> None:
        """Cut a file off."""
        with self.faults.effect():
            self.files[number] = self.files[number][:size]

    def delete(self, number: int) -> None:
        """Remove a file. Quiet if it is not there."""
        if number in self.files:
            with self.faults.effect():
                del self.files[number]


class MemoryKeySource:
    """A keeper without policy; satisfies `vault.ports.KeySource`. Ids and keys come from a seed and a counter."""

    def __init__(self, seed: int = 0, faults: Faults | None = None) -> None:
        self.keys: dict[KeyId, DataKey] = {}
        self.destroyed: set[KeyId] = set()
        self.catalogue: dict[str, SegmentEntry] = {}
        self.denied: set[EnvironmentName] = set()
        self.faults = faults or Faults()
        self._random = SeededRandomness(seed)
        self._pseudonyms: dict[tuple[EnvironmentName, str], KeyId] = {}

    def make_keys(self, requests: Sequence[KeyRequest]) -> Sequence[DataKey]:
        """New keys, in order; a pseudonym key is made once per environment and day. RefusedError for those `denied`."""
        if any(request.environment in self.denied for request in requests):
            raise RefusedError("keys-denied", "policy does not give this node these keys")
        with self.faults.effect():
            return [self._key(request) for request in requests]

    def _key(self, request: KeyRequest) -> DataKey:
        place = (request.environment, request.day)
        if request.kind is KeyKind.PSEUDONYM and place in self._pseudonyms:
            return self.keys[self._pseudonyms[place]]
        identity = KeyId(self._random.bytes(16).hex())
        key = DataKey(
            identity, request.kind, request.environment, request.stream, request.day, Secret(self._random.bytes(32))
        )
        self.keys[identity] = key
        if request.kind is KeyKind.PSEUDONYM:
            self._pseudonyms[place] = identity
        return key

    def open_keys(self, ids: Sequence[KeyId]) -> Mapping[KeyId, DataKey]:
        """Journal and state keys again; destroyed ones and others are left out."""
        found = {identity: self.keys[identity] for identity in ids if identity in self.keys}
        return {identity: key for identity, key in found.items() if key.kind in (KeyKind.JOURNAL, KeyKind.STATE)}

    def sealed(self, segments: Sequence[SegmentEntry], journal_keys: Sequence[KeyId]) -> None:
        """Enter segments and destroy journal keys. ConflictError if another segment stands under the same name."""
        for segment in segments:
            if self.catalogue.get(segment.name, segment) != segment:
                raise ConflictError("segment-exists", "the catalogue holds another segment of this name")
        with self.faults.effect():
            self.catalogue.update({segment.name: segment for segment in segments})
            self.destroyed.update(journal_keys)
            for identity in journal_keys:
                self.keys.pop(identity, None)


class MemoryLog:
    """A log's entries in a list; satisfies `vault.ports.LogSink`."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.entries: list[bytes] = []
        self.faults = faults or Faults()

    @property
    def size(self) -> int:
        """Entries committed."""
        return len(self.entries)

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries."""
        with self.faults.effect():
            self.entries.extend(entries)


class FixedClock:
    """A clock that stands still until it is moved; satisfies `vault.ports.Clock`."""

    def __init__(self, instant: Instant) -> None:
        self.instant = instant

    def now(self) -> Instant:
        """The instant it was set to."""
        return self.instant

    def advance(self, nanoseconds: int) -> None:
        """Move it."""
        self.instant = Instant(self.instant + nanoseconds)


class SeededRandomness:
    """The same bytes for the same seed; satisfies `vault.ports.Randomness`. Never for anything real."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._counter = 0

    def bytes(self, count: int) -> bytes:
        """The next bytes."""
        self._counter += 1
        return hashlib.shake_256(b"%d|%d" % (self._seed, self._counter)).digest(count)
