"""What access needs of the outside world, in its own words. Drivers and the database satisfy these."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast.formats.wrapping import KeyRecord, KeyWrap
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, PersonId
from holdfast.rules.policy import Decision, EnvironmentFacts, NodeFacts, PersonFacts, Question


class Clock(Protocol):
    """The keeper's clock."""

    def now(self) -> Instant:
        """Nanoseconds since the epoch, UTC."""


class Randomness(Protocol):
    """Where keys, nonces, salts and ids come from."""

    def bytes(self, count: int) -> bytes:
        """That many unpredictable bytes."""


class PolicyEngine(Protocol):
    """Decides. Never raises: whatever goes wrong is `Denied`."""

    def decide(self, questions: Sequence[Question]) -> Sequence[Decision]:
        """One decision per question, in order."""


class Facts(Protocol):
    """What decisions rest on, read when asked."""

    def person(self, person: PersonId) -> PersonFacts | None:
        """A person who is not closed."""

    def person_of_ssh_key(self, fingerprint: str) -> PersonFacts | None:
        """The person an active SSH key belongs to."""

    def environments(self, names: Collection[EnvironmentName]) -> Mapping[EnvironmentName, EnvironmentFacts]:
        """Those of the environments that are in the register, closed or not."""

    def node(self, node: NodeName) -> NodeFacts | None:
        """An announced node."""


class EpochKeys(Protocol):
    """Epoch keys, outside the database."""

    @property
    def current(self) -> int:
        """The epoch new keys are wrapped under."""

    def wrap_of(self, epoch: int) -> KeyWrap:
        """The epoch's key at work. ConfigurationError if it is not there or does not open."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key record with its wrapped bytes."""

    record: KeyRecord
    wrapped: bytes


class KeyRecords(Protocol):
    """Key records, within the caller's transaction."""

    def add(self, keys: Sequence[WrappedKey]) -> None:
        """Enter new records."""

    def pseudonyms(
        self, days: Collection[tuple[EnvironmentName, Day]]
    ) -> Mapping[tuple[EnvironmentName, Day], WrappedKey]:
        """The pseudonym keys of these environments and days. RefusedError `key-destroyed` if one was destroyed."""

    def active(self, ids: Sequence[KeyId]) -> Mapping[KeyId, WrappedKey]:
        """Those of the keys that are neither destroyed nor waiting to be."""

    def mark(self, ids: Sequence[KeyId], reason: str) -> Sequence[KeyRecord]:
        """Make keys wait for destruction; the records of those not marked or destroyed before."""

    def marked(self) -> Mapping[KeyId, str]:
        """The keys that wait for destruction, with the reason."""

    def destroy(self, ids: Sequence[KeyId], at: Instant) -> Sequence[KeyRecord]:
        """Delete the wrapped bytes for good; the records of those not destroyed before."""


@dataclass(frozen=True, slots=True)
class EventHead:
    """The last event of a chain: its number (-1 if there is none) and its commitment (empty if none)."""

    number: int
    commitment: str


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as it is kept: what the log's commitment commits to."""

    number: int
    environment: EnvironmentName | None
    previous: str
    salt: bytes
    json: bytes
    commitment: str


class EventRecords(Protocol):
    """Events and the log entries waiting to be appended, within the caller's transaction."""

    def head(self, environment: EnvironmentName | None) -> EventHead:
        """The last event of the environment's chain (None: the installation's own chain)."""

    def enter(self, entry: bytes, event: EventRecord | None) -> None:
        """Keep a log entry, and the event it commits to if there is one, to be appended in this order."""

    def waiting(self) -> Sequence[tuple[int, bytes]]:
        """Entries not known to be in the log, oldest first: row number and entry."""

    def logged(self) -> int:
        """How many entries are known to be in the log."""

    def mark_logged(self, rows: Sequence[int], first_index: int) -> None:
        """Say that these rows are in the log, at consecutive indexes."""


class KeeperLog(Protocol):
    """The keeper's own transparency log (vault.integrating satisfies this)."""

    @property
    def size(self) -> int:
        """Entries committed."""

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries and publish a signed checkpoint; durable when it returns."""
