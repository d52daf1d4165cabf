"""The keeper as a node sees it, over its socket (satisfies vault.ports.KeySource)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.formats import handouts
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.keys import DataKey, KeyRequest
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, environment_name
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import Hosting, SegmentEntry

KEYS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a good token is for: `sender` of one environment, or `recorder` of any."""

    kind: str
    environment: EnvironmentName | None


class NodeKeeper:
    """Announce the node before anything else: until then the keeper refuses it keys (`node-unknown`)."""

    def __init__(self, client: KeeperClient, node: NodeName) -> None:
        self._client = client
        self._node = node

    def announce(self, origin: str, vkey: str, promise_vkey: str, hosting: Hosting | str) -> None:
        """Say who this node is. ConflictError `node-differs` if its name is known with anything else."""
        self._client.call(
            "announce-node",
            node=self._node,
            origin=origin,
            vkey=vkey,
            promise_vkey=promise_vkey,
            hosting=str(hosting),
        )

    def host_map(self) -> dict[str, Any]:
        """Where lines belong: `environments`, `hosts`, `rules` and the register's `version`."""
        return self._client.call("host-map")

    def check_token(self, token: Secret) -> TokenGrant | None:
        """What an intake token is for, or None. Only its digest is sent."""
        return self.check_digest(hashlib.sha256(token.reveal()).hexdigest())

    def check_digest(self, digest: str) -> TokenGrant | None:
        """What the token with this SHA-256 (hex) is for, or None."""
        reply = self._client.call("check-token", digest=digest)
        if reply.get("allowed") is not True:
            return None
        name = reply.get("environment")
        return TokenGrant(handouts.text(reply, "kind", 20), environment_name(name) if isinstance(name, str) else None)

    def make_keys(self, requests: Sequence[KeyRequest]) -> Sequence[DataKey]:
        """New keys, in order. RefusedError if policy denies, BusyError if the keeper cannot be reached."""
        keys: list[DataKey] = []
        for at in range(0, len(requests), KEYS_AT_ONCE):
            part = [handouts.request_members(request) for request in requests[at : at + KEYS_AT_ONCE]]
            keys += _keys(self._client.call("make-keys", node=self._node, requests=part))
        for key, request in zip(keys, requests, strict=True):
            if KeyRequest(key.kind, key.environment, key.stream, key.day) != request:
                raise MalformedError("reply", "the keeper's reply is not one")
        return keys

    def open_keys(self, ids: Sequence[KeyId]) -> Mapping[KeyId, DataKey]:
        """The node's own journal and state keys again; destroyed ones are left out."""
        keys: dict[KeyId, DataKey] = {}
        for at in range(0, len(ids), KEYS_AT_ONCE):
            reply = self._client.call("open-keys", node=self._node, ids=list(ids[at : at + KEYS_AT_ONCE]))
            keys.update((key.id, key) for key in _keys(reply))
        return keys

    def sealed(self, segments: Sequence[SegmentEntry], journal_keys: Sequence[KeyId]) -> None:
        """Enter segments in the catalogue and let the journal keys go, one transaction. Repeating it changes nothing.

        MalformedError `argument-size` for more than the keeper takes in one: nothing happened then.
        """
        rows = [handouts.segment_members(segment) for segment in segments]
        self._client.call("sealed", node=self._node, segments=rows, journal_keys=list(journal_keys))


def _keys(reply: Mapping[str, Any]) -> list[DataKey]:
    return [handouts.data_key(item) for item in handouts.tables(reply, "keys")]
