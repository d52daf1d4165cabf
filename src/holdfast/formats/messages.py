"""Messages between a process and the keeper ⇄ bytes: a 4-byte big-endian length, then JSON in UTF-8.

A request is `{"verb": ..., arguments}`; a reply `{"ok": {...}}` or `{"error": {family, code, message, fields}}`.
`MessageReader.receive` never judges; `next_message` judges one message at a time, so what came before a bad one is
still delivered.
"""

import json
from collections.abc import Mapping
from typing import Any

from holdfast.kernel.errors import FAMILIES, HoldfastError, MalformedError, family_of

MESSAGE_LIMIT = 16 * 1024 * 1024
"""Bytes of JSON in one message."""
_HEAD = 4

Members = Mapping[str, Any]


def encode(message: Members) -> bytes:
    """One message with its length. MalformedError `message-size` past the limit."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > MESSAGE_LIMIT:
        raise MalformedError("message-size", "the message is larger than a message may be", limit=MESSAGE_LIMIT)
    return len(body).to_bytes(_HEAD, "big") + body


class MessageReader:
    """Cuts received bytes into messages. Holds at most one message and what was received after it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def receive(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._held += data

    def next_message(self) -> Members | None:
        """The next whole message, or None until more bytes come. MalformedError for one that is not a message."""
        if len(self._held) < _HEAD:
            return None
        length = int.from_bytes(self._held[:_HEAD], "big")
        if length > MESSAGE_LIMIT:
            raise MalformedError("message-size", "the message is larger than a message may be", limit=MESSAGE_LIMIT)
        if len(self._held) < _HEAD + length:
            return None
        body = bytes(self._held[_HEAD : _HEAD + length])
        del self._held[: _HEAD + length]
        return _members(body)

    @property
    def between_messages(self) -> bool:
        """Whether nothing of an unfinished message is held."""
        return not self._held


def _members(body: bytes) -> Members:
    try:
        message = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise MalformedError("message", "a message is one JSON object in UTF-8")
    return message


def _no_constant(_: str) -> None:
    raise ValueError


def ok(result: Members) -> Members:
    """The reply that carries a result."""
    return {"ok": result}


def failed(error: HoldfastError) -> Members:
    """The reply that carries an error."""
    return {
        "error": {
            "family": family_of(error),
            "code": error.code,
            "message": error.message,
            "fields": dict(error.fields),
        }
    }


def result_of(reply: Members) -> dict[str, Any]:
    """The result a reply carries; raises the error it carries, in its own family."""
    result = reply.get("ok")
    if isinstance(result, dict) and len(reply) == 1:
        return result
    error = reply.get("error")
    if isinstance(error, dict) and len(reply) == 1:
        family = FAMILIES.get(str(error.get("family")))
        code, message, fields = error.get("code"), error.get("message"), error.get("fields")
        if family and isinstance(code, str) and isinstance(message, str) and isinstance(fields, dict):
            kept = {str(name): value for name, value in fields.items() if isinstance(value, str | int)}
            raise _rebuilt(family, code, message, kept)
    raise MalformedError("reply", "the keeper's reply is not one")


def _rebuilt(family: type[HoldfastError], code: str, message: str, fields: dict[str, str | int]) -> HoldfastError:
    error = family(code, message)
    error.fields = fields  # as a whole: a field may be named like a parameter of the constructor
    return error
