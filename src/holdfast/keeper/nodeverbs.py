"""What a node may ask: where lines belong, whose token this is, keys for writing, and that segments are sealed."""

from collections.abc import Sequence
from typing import Any

from holdfast.access.destroying import SEALED
from holdfast.access.ports import WrappedKey
from holdfast.database import catalogue, nodes, registers
from holdfast.database.keyrecords import node_keys
from holdfast.formats import canonical, handouts
from holdfast.formats.notes import key_name, parse_vkey
from holdfast.keeper.arguments import Arguments
from holdfast.keeper.office import Office
from holdfast.kernel.errors import ConflictError, MalformedError
from holdfast.kernel.keys import DataKey, KeyKind
from holdfast.kernel.names import NodeName
from holdfast.kernel.segments import SegmentEntry, segment_name
from holdfast.rules.documents import printable
from holdfast.rules.places import parse_hosting

KEYS_AT_ONCE = 10_000
SEALED_SEGMENTS, SEALED_KEYS = 10_000, 20_000
"""What is sealed in one transaction, at most (vault.sealingplans.Limits): its event has to fit one message too."""

Reply = dict[str, Any]


def host_map(_: Office, __: Arguments) -> Reply:
    """Where lines belong."""
    return registers.host_map()


def check_token(_: Office, arguments: Arguments) -> Reply:
    """What the token of this digest is for."""
    digest = arguments.text("digest", 64)
    found = nodes.token_of(digest)
    if found is None:
        return {"allowed": False, "kind": None, "environment": None}
    return {"allowed": True, "kind": found[0].value, "environment": found[1]}


def announce_node(office: Office, arguments: Arguments) -> Reply:
    """Enter the node once; the log says so (the server appends to the log at once)."""
    origin, vkey = key_name(arguments.text("origin", 255)), arguments.text("vkey")
    name = arguments.node()
    if origin != f"{office.outside.installation}/{name}" or parse_vkey(vkey).name != origin:
        raise MalformedError("node-origin", "a node's origin and key name are <installation>/<node>", node=name)
    promise_vkey = printable(arguments.text("promise_vkey"), "promise_vkey", 500)
    hosting = parse_hosting(arguments.text("hosting", 100))
    announcement = nodes.NodeAnnouncement(name, origin, vkey, promise_vkey, hosting)
    if nodes.announce(announcement, office.outside.clock.now()):
        office.recording.node_opened(origin, vkey)
    return {}


def make_keys(office: Office, arguments: Arguments) -> Reply:
    """New keys, and one event that commits to them."""
    node = arguments.node()
    requests = [handouts.key_request(item) for item in arguments.tables("requests", KEYS_AT_ONCE)]
    office.deciding.require_node_makes(node, {request.environment for request in requests})
    keys, new = office.keys.make(node, requests)
    if new:
        made = [{"id": record.id, "kind": record.kind.value, "commitment": record.commitment} for record in new]
        office.recording.record("keys-made", None, {"node": node, "keys": made})
    return {"keys": [handouts.data_key_members(key) for key in keys]}


def open_keys(office: Office, arguments: Arguments) -> Reply:
    """The node's own journal keys again; destroyed ones are left out."""
    node = arguments.node()
    held = office.records.active(arguments.key_ids("ids", KEYS_AT_ONCE))
    office.deciding.require_node_opens(node, [key.record for key in held.values()])
    return {"keys": opened(office, list(held.values()))}


def opened(office: Office, keys: Sequence[WrappedKey]) -> list[dict[str, Any]]:
    """Data keys with their bytes, as messages carry them."""
    secrets = office.keys.open(keys)
    return [
        handouts.data_key_members(
            DataKey(
                key.record.id,
                key.record.kind,
                key.record.environment,
                key.record.stream,
                key.record.day,
                secrets[key.record.id],
            )
        )
        for key in keys
    ]


def sealed(office: Office, arguments: Arguments) -> Reply:
    """Enter the segments and let their journal keys go, in one transaction; repeating it changes nothing."""
    node = arguments.node()
    segments = [handouts.segment_entry(item) for item in arguments.tables("segments", SEALED_SEGMENTS)]
    ids = arguments.key_ids("journal_keys", SEALED_KEYS)
    for segment in segments:
        _check_name(node, segment)
    known = node_keys(ids, node, (KeyKind.JOURNAL, KeyKind.STATE))
    if len(known) != len(ids):
        raise ConflictError("key-unknown", "a journal key is not one of this node's", node=node)
    new = catalogue.enter_segments(segments)
    _check_keys(office, node, new)
    gone = office.destroying.request(ids, SEALED)
    if new or gone:
        body: dict[str, canonical.Json] = {
            "node": node,
            "segments": [{"name": item.name, "sha256": item.object_sha256, "key": item.key} for item in new],
            "journal_keys": [record.id for record in gone],
        }
        office.recording.record("sealed", None, body)
    return {}


def _check_name(node: NodeName, segment: SegmentEntry) -> None:
    name = segment_name(segment.environment, segment.stream, segment.day, segment.node, segment.first)
    # The generation, the one part of the name that is not in the row, is whatever stands between.
    stem, generation = name.removesuffix("0.parquet"), segment.name.removesuffix(".parquet")
    if segment.node != node or not segment.name.endswith(".parquet") or not generation.startswith(stem):
        raise MalformedError("segment-name", "a segment's name says where it belongs", node=node)
    if not generation.removeprefix(stem).isdecimal() or not generation.isascii():
        raise MalformedError("segment-name", "a segment's name ends in its generation", node=node)


def _check_keys(office: Office, node: NodeName, segments: Sequence[SegmentEntry]) -> None:
    held = office.records.active([segment.key for segment in segments])
    for segment in segments:
        key = held.get(segment.key)
        at = (KeyKind.SEGMENT, node, segment.environment, segment.stream, segment.day)
        record = key.record if key else None
        if record is None or (record.kind, record.node, record.environment, record.stream, record.day) != at:
            raise ConflictError("segment-key", "the key is not one made for this segment", segment=segment.name)
