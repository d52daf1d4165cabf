"""What reading needs of the outside world, in its own words. Drivers satisfy these.

A reader asks the keeper for one environment, stream and span of days, and gets the decision and the data keys together,
or a denial and neither. Keys are leased: past `lease_seconds` the holder asks again or stops.
"""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Protocol

from holdfast.kernel.instants import Day
from holdfast.kernel.names import EnvironmentName, Form, KeyId, NodeName, PersonId, Stream
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.policy import Decision


class SealedSegment(Protocol):
    """A segment of the catalogue with its data key. `store` is `vendor-region`, the store it lies in."""

    @property
    def entry(self) -> SegmentEntry: ...
    @property
    def key(self) -> Secret: ...
    @property
    def store(self) -> str: ...


class JournalKey(Protocol):
    """The data key of one stream and day in one journal file of a node."""

    @property
    def id(self) -> KeyId: ...
    @property
    def node(self) -> NodeName: ...
    @property
    def day(self) -> Day: ...
    @property
    def key(self) -> Secret: ...


class Opening(Protocol):
    """The decision, and what it opens: nothing where it denies. Pseudonym keys are there for the clear form only, and
    only of days whose key was not destroyed."""

    @property
    def decision(self) -> Decision: ...
    @property
    def segments(self) -> Sequence[SealedSegment]: ...
    @property
    def journal(self) -> Sequence[JournalKey]: ...
    @property
    def pseudonyms(self) -> Mapping[Day, Secret]: ...
    @property
    def lease_seconds(self) -> int: ...


class Keeper(Protocol):
    """The keeper, as a gateway sees it. BusyError from any of these if it cannot be reached."""

    async def authenticate(self, fingerprint: str, login: str) -> tuple[PersonId | None, Decision]:
        """Who the holder of this SSH key (`SHA256:...`) is, and whether they may connect as this login."""

    async def streams(
        self, person: PersonId, fingerprint: str, environment: EnvironmentName
    ) -> Mapping[Stream, frozenset[Form]]:
        """The streams the person may read, and in which forms."""

    async def open(
        self,
        person: PersonId,
        fingerprint: str,
        environment: EnvironmentName,
        stream: Stream,
        form: Form,
        since: Day | None,
        until: Day | None,
    ) -> Opening:
        """The decision, and with it the keys of what was kept from day to day (both included; None: without end)."""


class JournalFolder(Protocol):
    """A node's journal files, for reading beside the node that writes them."""

    def numbers(self) -> Sequence[int]:
        """The files there are, ascending."""

    def open(self, number: int) -> BinaryIO:
        """A file, for reading. ConflictError `journal-missing` if it is not there."""


class ObjectStore(Protocol):
    """A store of sealed segments."""

    def open(self, name: str) -> BinaryIO:
        """An object, for seeking and reading. ConflictError `object-missing` if it is not there."""
