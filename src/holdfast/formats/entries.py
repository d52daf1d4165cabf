"""Log entries ⇄ canonical JSON (formats, Log): what the nodes' logs and the keeper's log say.

Every entry has `v` (1), `kind`, `node` (whose log it is in: a node's name, or `keeper`) and `time` (RFC 3339, UTC).
Numbers that may pass 2^53 (a flush's number, a log's size) are decimal strings; hashes are base64. Beside these:

    flush           flush, batches, root                                     in a node's log
    node-opened     origin, vkey, predecessor ({"size","root"} or null)      in the keeper's, like those below
    node-closed     origin, size, root, reason
    key-destroyed   key, reason (retention or erasure), commitment
    event           commitment

Nothing personal and no customer's name is ever in a log. Reading is strict: an entry that would be written otherwise,
or has a field more or less, is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from holdfast.formats import canonical
from holdfast.formats.notes import key_name, parse_vkey
from holdfast.formats.spelling import decimal, decode64, encode64
from holdfast.formats.tiles import ENTRY_LIMIT
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant, parse_rfc3339, rfc3339
from holdfast.kernel.names import KeyId, NodeName, key_id, node_name
from holdfast.kernel.secrets import Secret

HASH = 32
KEEPER = "keeper"
REASON_LIMIT = 200


class Destruction(StrEnum):
    """Why a data key was destroyed."""

    RETENTION = "retention"
    ERASURE = "erasure"


def event_commitment(salt: bytes, event: canonical.Json) -> bytes:
    """H(salt ‖ canonical JSON of the event), 32 bytes: what the log says of an event that is kept elsewhere."""
    return sha256(salt + canonical.dump(event)).digest()


def key_commitment(key: Secret) -> bytes:
    """H(0x02 ‖ key bytes), 32 bytes: what the log says of a data key, when it is made and when it is destroyed."""
    return sha256(b"\x02" + key.reveal()).digest()


def _encode(kind: str, node: str, time: Instant, fields: Mapping[str, canonical.Json]) -> bytes:
    data = canonical.dump({"v": 1, "kind": kind, "node": node, "time": rfc3339(time), **fields})
    if len(data) > ENTRY_LIMIT:
        raise MalformedError("entry-length", "a log entry is too long", limit=ENTRY_LIMIT, length=len(data))
    return data


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A log's size and root (32 bytes)."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class FlushEntry:
    """All batches that a node made durable together: their count and the root over their entries (32 bytes)."""

    node: NodeName
    time: Instant
    flush: int
    batches: int
    root: bytes

    def encode(self) -> bytes:
        """Canonical JSON."""
        fields: dict[str, canonical.Json] = {"flush": str(self.flush), "batches": self.batches}
        fields["root"] = encode64(self.root)
        return _encode("flush", self.node, self.time, fields)


@dataclass(frozen=True, slots=True)
class NodeOpened:
    """A node's log begins: its origin and verifier key, and where the log it follows ended, if it follows one."""

    node: str
    time: Instant
    origin: str
    vkey: str
    predecessor: TreeHead | None

    def encode(self) -> bytes:
        """Canonical JSON."""
        before = self.predecessor
        predecessor = None if before is None else {"size": str(before.size), "root": encode64(before.root)}
        fields: dict[str, canonical.Json] = {"origin": self.origin, "vkey": self.vkey, "predecessor": predecessor}
        return _encode("node-opened", self.node, self.time, fields)


@dataclass(frozen=True, slots=True)
class NodeClosed:
    """A node's log ends for ever, at this size and root."""

    node: str
    time: Instant
    origin: str
    head: TreeHead
    reason: str

    def encode(self) -> bytes:
        """Canonical JSON."""
        head = {"size": str(self.head.size), "root": encode64(self.head.root)}
        return _encode("node-closed", self.node, self.time, {"origin": self.origin, **head, "reason": self.reason})


@dataclass(frozen=True, slots=True)
class KeyDestroyed:
    """A data key is gone; the commitment (32 bytes) was logged when it was made."""

    node: str
    time: Instant
    key: KeyId
    reason: Destruction
    commitment: bytes

    def encode(self) -> bytes:
        """Canonical JSON."""
        fields = {"key": self.key, "reason": self.reason.value, "commitment": encode64(self.commitment)}
        return _encode("key-destroyed", self.node, self.time, fields)


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An event happened; the event itself, with its salt, is in the keeper's database."""

    node: str
    time: Instant
    commitment: bytes

    def encode(self) -> bytes:
        """Canonical JSON."""
        return _encode("event", self.node, self.time, {"commitment": encode64(self.commitment)})


LogEntry = FlushEntry | NodeOpened | NodeClosed | KeyDestroyed | EventEntry

_Fields = Mapping[str, canonical.Json]


def _text(fields: _Fields, name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str):
        return value
    raise MalformedError("log-entry", "a log entry lacks a text field")


def _node(fields: _Fields) -> str:
    name = _text(fields, "node")
    return name if name == KEEPER else node_name(name)


def _time(fields: _Fields) -> Instant:
    return parse_rfc3339(_text(fields, "time"))


def _hash(fields: _Fields, name: str) -> bytes:
    return decode64(_text(fields, name), HASH)


def _head(fields: _Fields) -> TreeHead:
    return TreeHead(decimal(_text(fields, "size")), _hash(fields, "root"))


def _flush(fields: _Fields) -> FlushEntry:
    batches = fields.get("batches")
    if not isinstance(batches, int) or isinstance(batches, bool) or batches < 1:
        raise MalformedError("log-entry", "a flush has at least one batch")
    node, flush = node_name(_text(fields, "node")), decimal(_text(fields, "flush"))
    return FlushEntry(node, _time(fields), flush, batches, _hash(fields, "root"))


def _node_opened(fields: _Fields) -> NodeOpened:
    before = fields.get("predecessor")
    predecessor = _head(before) if isinstance(before, Mapping) else None
    vkey = parse_vkey(_text(fields, "vkey"))
    return NodeOpened(_node(fields), _time(fields), key_name(_text(fields, "origin")), vkey.vkey(), predecessor)


def _node_closed(fields: _Fields) -> NodeClosed:
    reason = _text(fields, "reason")
    if len(reason) > REASON_LIMIT:
        raise MalformedError("log-entry", "a reason in a log entry is too long", limit=REASON_LIMIT)
    return NodeClosed(_node(fields), _time(fields), key_name(_text(fields, "origin")), _head(fields), reason)


def _key_destroyed(fields: _Fields) -> KeyDestroyed:
    try:
        reason = Destruction(_text(fields, "reason"))
    except ValueError:
        raise MalformedError("log-entry", "a key is destroyed for retention or erasure") from None
    key = key_id(_text(fields, "key"))
    return KeyDestroyed(_node(fields), _time(fields), key, reason, _hash(fields, "commitment"))


def _event(fields: _Fields) -> EventEntry:
    return EventEntry(_node(fields), _time(fields), _hash(fields, "commitment"))


_KINDS: Mapping[str, Callable[[_Fields], LogEntry]] = {
    "flush": _flush,
    "node-opened": _node_opened,
    "node-closed": _node_closed,
    "key-destroyed": _key_destroyed,
    "event": _event,
}


def parse_entry(data: bytes) -> LogEntry:
    """The entry, strictly: exactly the bytes its `encode` writes. MalformedError otherwise."""
    if len(data) > ENTRY_LIMIT:
        raise MalformedError("entry-length", "a log entry is too long", limit=ENTRY_LIMIT, length=len(data))
    fields = canonical.load_object(data)
    parse = _KINDS.get(_text(fields, "kind"))
    if parse is None:
        raise MalformedError("log-entry-kind", "a log entry is of no known kind")
    entry = parse(fields)
    # Whatever the fields' readers did not look at (another version, a field more) shows here.
    if entry.encode() != data:
        raise MalformedError("log-entry", "a log entry is not written as its kind is")
    return entry
