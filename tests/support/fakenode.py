"""A node's pipeline in one file: takes chunks durably, with one fsync each, and remembers positions across kill -9.

As a program: `python -m tests.support.fakenode FOLDER PORT TOKEN [--delay S] [--busy-every N] [--head-seconds S]`.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.formats.batches import BatchHeader
from holdfast.formats.positions import Conflict, Duplicate, Position, Positions, Source
from holdfast.formats.promises import PromiseSigner
from holdfast.intake.http import HttpChunk, HttpLimits, Receipt, app
from holdfast.intake.http_server import server
from holdfast.intake.http_tokens import TokenHolder
from holdfast.intake.pipeline import receipt_of
from holdfast.kernel.errors import BusyError, ConflictError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream

ENVIRONMENT = EnvironmentName("acme/main")
NODE = NodeName("n1")
SIGNER = PromiseSigner("example.org/n1/promise", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


class FakeTaker:
    """Satisfies intake.http.Taker over one append-only file of JSON lines."""

    def __init__(self, folder: Path, delay: float = 0.0, busy_every: int = 0) -> None:
        self.positions = Positions()
        self.delay = delay
        self.busy_every = busy_every
        self.asked = 0
        self._next = 0
        self._file = folder / "taken"
        for row in taken(folder):
            self._advance(row)
        _cut_half_line(self._file)

    async def take(self, chunk: HttpChunk) -> Receipt:
        self.asked += 1
        if self.busy_every and self.asked % self.busy_every == 0:
            raise BusyError("not-now", "the disk is full")
        if self.delay:
            await asyncio.sleep(self.delay)
        match self.positions.judge(chunk.source, chunk.offset, chunk.length, chunk.digest):
            case Duplicate(position):
                return receipt_of(position, duplicate=True)
            case Conflict(position):
                raise ConflictError("position", "not this file's next chunk", expected=position.end)
        row = {
            "source": list(chunk.source),
            "file": chunk.file,
            "offset": chunk.offset,
            "length": chunk.length,
            "digest": chunk.digest.hex(),
            "time": time.time_ns(),
            "first": self._next,
            "lines": [base64.b64encode(line).decode() for line in chunk.lines.tolist()],
        }
        with self._file.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._advance(row)
        now = self.positions.get(chunk.source)
        assert now
        return receipt_of(now)

    def position(self, source: Source) -> Position | None:
        return self.positions.get(source)

    def ready(self) -> bool:
        return True

    def _advance(self, row: dict[str, object]) -> None:
        values = row["source"]
        assert isinstance(values, list)
        source = Source(EnvironmentName(values[0]), Stream(values[1]), values[2], values[3])
        moved = Positions()
        digest = bytes.fromhex(str(row["digest"]))
        moved.move(source, Position(row["offset"], row["length"], digest, Instant(row["time"])))  # type: ignore[arg-type]
        lines = row["lines"]
        assert isinstance(lines, list)
        root = hashlib.sha256(json.dumps(row).encode()).digest()
        header = BatchHeader(source.environment, source.stream, NODE, self._next, len(lines), root, b"")
        self.positions.merge(moved, header)
        self._next += len(lines)


class OneToken:
    """Satisfies intake.http_tokens.Tokens: one sender's token of acme/main, and one recorder's."""

    def __init__(self, token: str = "secret") -> None:
        self._holders = {
            hashlib.sha256(token.encode()).hexdigest(): TokenHolder(ENVIRONMENT),
            hashlib.sha256(b"recorder").hexdigest(): TokenHolder(None),
        }
        self.asked = 0

    async def holder(self, digest: str) -> TokenHolder | None:
        self.asked += 1
        return self._holders.get(digest)


def taken(folder: Path) -> list[dict[str, object]]:
    """What was made durable, chunk by chunk. A torn tail is left out, as replay does."""
    path = folder / "taken"
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].split(b"\n") if line]


def taken_lines(folder: Path) -> list[bytes]:
    """Every line made durable, in order."""
    return [base64.b64decode(line) for row in taken(folder) for line in row["lines"]]  # type: ignore[attr-defined]


def _cut_half_line(path: Path) -> None:
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


async def _serve() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("token")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--busy-every", type=int, default=0)
    parser.add_argument("--head-seconds", type=float, default=10.0)
    args = parser.parse_args()
    taker = FakeTaker(args.folder, args.delay, args.busy_every)
    limits = HttpLimits(head_seconds=args.head_seconds)
    await server(app(taker, OneToken(args.token), SIGNER, limits), "127.0.0.1", args.port, limits).serve()


if __name__ == "__main__":
    asyncio.run(_serve())
