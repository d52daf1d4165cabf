"""The keeper as the gateway sees it, over its socket: decisions, and the keys that come with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.drivers.keeperclient import AsyncKeeperClient
from holdfast.formats import handouts
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Day, parse_day
from holdfast.kernel.names import EnvironmentName, Form, KeyId, NodeName, PersonId, Stream, key_id, node_name
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.policy import Allowed, Decision, Denied


@dataclass(frozen=True, slots=True)
class OpenedSegment:
    """A sealed segment, its data key, and the store it lies in (`vendor-region`)."""

    entry: SegmentEntry
    key: Secret
    store: str


@dataclass(frozen=True, slots=True)
class OpenedJournal:
    """A journal key of a stream: of lines on that node and day that are not sealed yet."""

    id: KeyId
    node: NodeName
    day: Day
    key: Secret


@dataclass(frozen=True, slots=True)
class Opening:
    """What a stream can be read with, for `lease_seconds` from now. Everything is empty where the decision denies."""

    decision: Decision
    segments: tuple[OpenedSegment, ...]
    journal: tuple[OpenedJournal, ...]
    pseudonyms: Mapping[Day, Secret]
    lease_seconds: int


class GatewayKeeper:
    """BusyError `keeper-unreachable` from every call if the keeper is not there."""

    def __init__(self, client: AsyncKeeperClient) -> None:
        self._client = client

    async def authenticate(self, fingerprint: str, login: str) -> tuple[PersonId | None, Decision]:
        """Who the holder of an SSH key is, and whether they may connect to the environment of a login."""
        reply = await self._client.call("authenticate", fingerprint=fingerprint, login=login)
        person = reply.get("person")
        return (PersonId(person) if isinstance(person, str) else None), _decision(reply)

    async def streams(
        self, person: PersonId, fingerprint: str, environment: EnvironmentName
    ) -> Mapping[Stream, frozenset[Form]]:
        """The forms of each stream of an environment that the person may read."""
        reply = await self._client.call("streams", person=person, fingerprint=fingerprint, environment=environment)
        found = reply.get("streams")
        if not isinstance(found, dict):
            raise MalformedError("reply", "the keeper's reply is not one")
        return {
            stream: frozenset(form for form in Form if found.get(stream.value, {}).get(form.value) is True)
            for stream in Stream
        }

    async def open(
        self,
        person: PersonId,
        fingerprint: str,
        environment: EnvironmentName,
        stream: Stream,
        form: Form,
        since: Day | None = None,
        until: Day | None = None,
    ) -> Opening:
        """The decision to read a stream from day to day (both included), with the keys if it allows."""
        reply = await self._client.call(
            "open",
            person=person,
            fingerprint=fingerprint,
            environment=environment,
            stream=stream.value,
            form=form.value,
            since=since,
            until=until,
        )
        pseudonyms = reply.get("pseudonyms")
        if not isinstance(pseudonyms, dict):
            raise MalformedError("reply", "the keeper's reply is not one")
        return Opening(
            _decision(reply),
            tuple(
                OpenedSegment(
                    handouts.segment_entry(item), handouts.key_bytes(item, "key_bytes"), handouts.text(item, "store")
                )
                for item in handouts.tables(reply, "segments")
            ),
            tuple(
                OpenedJournal(
                    key_id(handouts.text(item, "id")),
                    node_name(handouts.text(item, "node")),
                    parse_day(handouts.text(item, "day")),
                    handouts.key_bytes(item, "key_bytes"),
                )
                for item in handouts.tables(reply, "journal")
            ),
            {parse_day(day): handouts.key_bytes(pseudonyms, day) for day in pseudonyms},
            handouts.number(reply, "lease_seconds"),
        )


def _decision(reply: Mapping[str, Any]) -> Decision:
    policies = reply.get("policies")
    if not isinstance(policies, list):
        raise MalformedError("reply", "the keeper's reply is not one")
    ids = tuple(str(policy) for policy in policies)
    return Allowed(ids) if reply.get("allowed") is True else Denied(ids, handouts.text(reply, "reason"))
