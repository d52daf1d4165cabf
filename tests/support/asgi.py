"""One request to an ASGI application, without a socket."""

import asyncio
import json
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from holdfast.intake.http_messages import AsgiApplication


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    application: AsgiApplication,
    method: str,
    path: str,
    query: dict[str, str] | None = None,
    body: bytes | Sequence[bytes] = b"",
    *,
    token: str | None = "secret",
    length: int | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
    stall: bool = False,
) -> Response:
    """The response. `stall`: the body's last part never comes."""
    parts = [body] if isinstance(body, bytes) else list(body)
    sent: list[MutableMapping[str, Any]] = []
    head = [*headers, (b"content-length", b"%d" % (sum(map(len, parts)) if length is None else length))]
    if token:
        head.append((b"authorization", f"Bearer {token}".encode()))
    waiting = iter(parts)
    left = len(parts)

    async def receive() -> MutableMapping[str, Any]:
        nonlocal left
        if not left or (stall and left == 1):
            await asyncio.sleep(3600)
        left -= 1
        return {"type": "http.request", "body": next(waiting), "more_body": left > 0}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": urlencode(query or {}).encode()}
    await application({**scope, "headers": head}, receive, send)
    return Response(sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:]))
