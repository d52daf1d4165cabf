"""The keeper as the operator's commands see it, over its socket. Long answers are asked for page by page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.formats import handouts
from holdfast.formats.spelling import decode64
from holdfast.kernel.instants import Day, parse_day
from holdfast.kernel.keys import DataKey, KeyKind
from holdfast.kernel.names import (
    EnvironmentName,
    KeyId,
    NodeName,
    PersonId,
    Stream,
    environment_name,
    key_id,
    node_name,
)
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.policy import EnvironmentFacts, PersonFacts

KEYS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class CataloguedSegment:
    """A row of the catalogue and the store it lies in (`vendor-region`)."""

    entry: SegmentEntry
    store: str


@dataclass(frozen=True, slots=True)
class KnownNode:
    """A node as it was announced. Hosting is `vendor/region`."""

    name: NodeName
    origin: str
    vkey: str
    promise_vkey: str
    hosting: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key's record. `state` is `active` or `destroyed`; a pseudonym key has no stream and no node."""

    id: KeyId
    kind: KeyKind
    environment: EnvironmentName
    stream: Stream | None
    day: Day
    node: NodeName | None
    commitment: str
    state: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the keeper knows to be held."""

    segments: tuple[CataloguedSegment, ...]
    nodes: tuple[KnownNode, ...]
    keys: Mapping[KeyId, KnownKey]


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event: canonical JSON and salt, what the log commits to, and where in the keeper's log it is."""

    number: int
    environment: EnvironmentName | None
    previous: str
    salt: bytes
    event: bytes
    commitment: str
    index: int | None


class OperatorKeeper:
    """BusyError `keeper-unreachable` from every call if the keeper is not there."""

    def __init__(self, client: KeeperClient) -> None:
        self._client = client

    def apply(self, register: Mapping[str, Any]) -> dict[str, Any]:
        """Make the register equal to a document: `version`, and `changes` of {what, name, change}."""
        return self._client.call("apply", register=register)

    def new_token(self, environment: EnvironmentName, label: str) -> Secret:
        """A new intake token for an environment's senders (ASCII text)."""
        reply = self._client.call("new-token", environment=environment, label=label)
        return Secret(handouts.text(reply, "token").encode())

    def status(self) -> dict[str, Any]:
        """Counts and health."""
        return self._client.call("status")

    def catalogue(self) -> Catalogue:
        """Every segment, node and key record. A segment's key is always among the keys."""
        segments: list[CataloguedSegment] = []
        keys: dict[KeyId, KnownKey] = {}
        nodes: tuple[KnownNode, ...] = ()
        for page in self._pages("catalogue"):
            segments += [
                CataloguedSegment(handouts.segment_entry(item), handouts.text(item, "store"))
                for item in handouts.tables(page, "segments")
            ]
            nodes = tuple(_node(item) for item in handouts.tables(page, "nodes"))
            keys.update((key.id, key) for key in map(_key, handouts.tables(page, "keys")))
        return Catalogue(tuple(segments), nodes, keys)

    def open_keys(self, ids: Sequence[KeyId]) -> Mapping[KeyId, DataKey]:
        """Keys to verify and prove with; destroyed ones are left out."""
        keys: dict[KeyId, DataKey] = {}
        for at in range(0, len(ids), KEYS_AT_ONCE):
            reply = self._client.call("open-verify", ids=list(ids[at : at + KEYS_AT_ONCE]))
            keys.update((key.id, key) for key in map(handouts.data_key, handouts.tables(reply, "keys")))
        return keys

    def persons(self) -> tuple[PersonFacts, ...]:
        """Every person who is not closed, as decisions see them."""
        return tuple(_person(item) for page in self._pages("persons") for item in handouts.tables(page, "persons"))

    def environments(self) -> tuple[EnvironmentFacts, ...]:
        """Every environment, closed ones too, as decisions see them."""
        pages = self._pages("environments")
        return tuple(_environment(item) for page in pages for item in handouts.tables(page, "environments"))

    def events(self) -> Iterator[KnownEvent]:
        """The keeper's events, oldest first."""
        for page in self._pages("events"):
            for item in handouts.tables(page, "events"):
                name, index = item.get("environment"), item.get("index")
                yield KnownEvent(
                    handouts.number(item, "number"),
                    environment_name(name) if isinstance(name, str) else None,
                    handouts.text(item, "previous"),
                    decode64(handouts.text(item, "salt")),
                    handouts.text(item, "event", 16 * 1024 * 1024).encode(),
                    handouts.text(item, "commitment"),
                    index if isinstance(index, int) else None,
                )

    def _pages(self, verb: str) -> Iterator[Mapping[str, Any]]:
        following: Mapping[str, Any] | None = {}
        while following is not None:
            page = self._client.call(verb, **following)
            yield page
            found = page.get("next")
            following = found if isinstance(found, dict) else None


def _person(item: Mapping[str, Any]) -> PersonFacts:
    return PersonFacts(
        PersonId(handouts.text(item, "person", 18)),
        handouts.texts(item, "fingerprints"),
        handouts.texts(item, "customers"),
        handouts.texts(item, "teams"),
        item.get("operations") is True,
    )


def _environment(item: Mapping[str, Any]) -> EnvironmentFacts:
    return EnvironmentFacts(
        environment_name(handouts.text(item, "environment")),
        handouts.text(item, "customer"),
        handouts.text(item, "hosting"),
        handouts.texts(item, "teams"),
    )


def _node(item: Mapping[str, Any]) -> KnownNode:
    return KnownNode(
        node_name(handouts.text(item, "name")),
        handouts.text(item, "origin"),
        handouts.text(item, "vkey"),
        handouts.text(item, "promise_vkey"),
        handouts.text(item, "hosting"),
    )


def _key(item: Mapping[str, Any]) -> KnownKey:
    stream, node = item.get("stream"), item.get("node")
    return KnownKey(
        key_id(handouts.text(item, "id")),
        KeyKind(handouts.text(item, "kind")),
        environment_name(handouts.text(item, "environment")),
        handouts.one_stream(stream) if isinstance(stream, str) else None,
        parse_day(handouts.text(item, "day")),
        node_name(node) if isinstance(node, str) else None,
        handouts.text(item, "commitment"),
        handouts.text(item, "state"),
    )
