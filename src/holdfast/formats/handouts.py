"""What the keeper's messages carry ⇄ values: catalogue rows, key requests, data keys.

Times and lengths are JSON integers (these messages stay between processes of one machine or one operator and are read
by this module alone), key bytes canonical base64.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from holdfast.formats.spelling import decode64, encode64
from holdfast.formats.wrapping import KEY_BYTES
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant, parse_day
from holdfast.kernel.keys import DataKey, KeyKind, KeyRequest
from holdfast.kernel.names import Stream, environment_name, key_id, node_name
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry

Members = Mapping[str, Any]

_SEGMENT = tuple(field.name for field in fields(SegmentEntry))
_NUMBERS = {
    "first",
    "count",
    "arrival_min",
    "arrival_max",
    "text_bytes",
    "clear_bytes",
    "object_bytes",
}


def text(members: Members, name: str, limit: int = 500) -> str:
    """A text member. MalformedError `argument` naming it otherwise."""
    value = members.get(name)
    if isinstance(value, str) and len(value) <= limit:
        return value
    raise MalformedError("argument", "a text was expected here", argument=name, limit=limit)


def number(members: Members, name: str) -> int:
    """An integer member from 0 to 2^63 - 1."""
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    raise MalformedError("argument", "a number was expected here", argument=name)


def tables(members: Members, name: str) -> list[Members]:
    """A list of objects."""
    value = members.get(name)
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise MalformedError("argument", "a list of objects was expected here", argument=name)


def texts(members: Members, name: str) -> frozenset[str]:
    """A list of texts, as a set."""
    value = members.get(name)
    if isinstance(value, list) and all(isinstance(item, str) and len(item) <= 500 for item in value):
        return frozenset(value)
    raise MalformedError("argument", "a list of texts was expected here", argument=name)


def one_stream(value: str) -> Stream:
    """The stream of that name."""
    if value in tuple(Stream):
        return Stream(value)
    raise MalformedError("stream", "a stream is app, system, web-access or ssh-access")


def key_bytes(members: Members, name: str) -> Secret:
    """A key's 32 bytes."""
    return Secret(decode64(text(members, name, 64), KEY_BYTES))


def segment_members(entry: SegmentEntry) -> dict[str, Any]:
    """A catalogue row as members named like its fields."""
    return {name: getattr(entry, name) for name in _SEGMENT}


def segment_entry(members: Members) -> SegmentEntry:
    """The catalogue row; members beside its own are not looked at."""
    numbers = {name: number(members, name) for name in _NUMBERS}
    return SegmentEntry(
        name=text(members, "name", 255),
        environment=environment_name(text(members, "environment")),
        stream=one_stream(text(members, "stream")),
        node=node_name(text(members, "node")),
        day=parse_day(text(members, "day")),
        first=numbers["first"],
        count=numbers["count"],
        arrival_min=Instant(numbers["arrival_min"]),
        arrival_max=Instant(numbers["arrival_max"]),
        text_bytes=numbers["text_bytes"],
        clear_bytes=numbers["clear_bytes"],
        key=key_id(text(members, "key")),
        object_bytes=numbers["object_bytes"],
        object_sha256=text(members, "object_sha256", 64),
    )


def request_members(request: KeyRequest) -> dict[str, Any]:
    """A key request; the stream is null for a pseudonym key."""
    return {
        "kind": request.kind.value,
        "environment": request.environment,
        "stream": request.stream.value if request.stream else None,
        "day": request.day,
    }


def key_request(members: Members) -> KeyRequest:
    """The request of members with exactly its fields."""
    if set(members) != {"kind", "environment", "stream", "day"}:
        raise MalformedError("key-request", "a key request has kind, environment, stream and day")
    return _request(members)


def data_key_members(key: DataKey) -> dict[str, Any]:
    """A data key with its bytes, for the one it was decided for."""
    request = KeyRequest(key.kind, key.environment, key.stream, key.day)
    return {"id": key.id, **request_members(request), "key": encode64(key.key.reveal())}


def data_key(members: Members) -> DataKey:
    """The data key."""
    request = _request(members)
    identity = key_id(text(members, "id"))
    return DataKey(identity, request.kind, request.environment, request.stream, request.day, key_bytes(members, "key"))


def _request(members: Members) -> KeyRequest:
    kind = text(members, "kind", 20)
    if kind not in tuple(KeyKind):
        raise MalformedError("key-kind", "a data key is journal, segment, pseudonym or state")
    stream = None if members.get("stream") is None else one_stream(text(members, "stream"))
    return KeyRequest(
        KeyKind(kind), environment_name(text(members, "environment")), stream, parse_day(text(members, "day"))
    )
