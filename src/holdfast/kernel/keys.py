"""Data keys as the keeper hands them out."""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.kernel.instants import Day
from holdfast.kernel.names import EnvironmentName, KeyId, Stream
from holdfast.kernel.secrets import Secret


class KeyKind(StrEnum):
    """What a data key encrypts."""

    JOURNAL = "journal"
    SEGMENT = "segment"
    PSEUDONYM = "pseudonym"
    STATE = "state"
    """A node's own state in its journal (sender positions); environment `platform/unclaimed`, stream `system`."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A data key wanted. For a pseudonym key the stream is None: one key per environment and day."""

    kind: KeyKind
    environment: EnvironmentName
    stream: Stream | None
    day: Day


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key, 32 bytes, with its random id."""

    id: KeyId
    kind: KeyKind
    environment: EnvironmentName
    stream: Stream | None
    day: Day
    key: Secret
