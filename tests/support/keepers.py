"""A keeper in a home: initialised, running in a thread of its own over real sockets, stopped and started again."""

import asyncio
import base64
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.wiring.settings")
django.setup()

from holdfast.drivers.cedar import CedarPolicies  # noqa: E402
from holdfast.drivers.keeperclient import KeeperClient  # noqa: E402
from holdfast.drivers.memory import MemoryLog  # noqa: E402
from holdfast.drivers.nodekeeper import NodeKeeper  # noqa: E402
from holdfast.drivers.operatorkeeper import OperatorKeeper  # noqa: E402
from holdfast.formats.notes import signer  # noqa: E402
from holdfast.keeper.initialising import initialise  # noqa: E402
from holdfast.keeper.paths import POLICIES, KeeperPaths  # noqa: E402
from holdfast.keeper.serving import serve  # noqa: E402
from holdfast.kernel.instants import Day, Instant, day_of, parse_rfc3339  # noqa: E402
from holdfast.kernel.keys import DataKey  # noqa: E402
from holdfast.kernel.names import Installation, NodeName  # noqa: E402
from holdfast.kernel.segments import Hosting, SegmentEntry, segment_name  # noqa: E402

INSTALLATION = Installation("logs.example")
NOW = parse_rfc3339("2026-11-24T12:00:00Z")
TODAY: Day = day_of(NOW)
AWS = Hosting("aws", "eu-west-1")


class OsRandomness:
    """Real randomness."""

    def bytes(self, count: int) -> bytes:
        """From the operating system."""
        return os.urandom(count)


@dataclass
class MovableClock:
    """Wall clock and elapsed time, moved together by hand."""

    instant: int = NOW

    def now(self) -> Instant:
        """The wall clock."""
        return Instant(self.instant)

    def elapsed(self) -> int:
        """The clock that never jumps."""
        return self.instant

    def pass_seconds(self, seconds: int) -> None:
        """Let time pass."""
        self.instant += seconds * 1_000_000_000


def ssh_key(who: str) -> tuple[str, str]:
    """An `authorized_keys` line and its fingerprint, the same for the same person."""
    public = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(who.encode()).digest()).public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    blob = base64.b64decode(line.split()[1])
    return line, "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def register() -> dict[str, Any]:
    """Two customers on two hostings, a member each, a support team for the first, an operations team."""

    def customer(name: str, hosting: str) -> dict[str, Any]:
        return {"projects": {name: {"environments": {"main": {"hosting": hosting, "hosts": [f"web1.{name}.example"]}}}}}

    def person(handle: str, **more: Any) -> dict[str, Any]:
        return {"name": handle.title(), "keys": [ssh_key(handle)[0] + " laptop"], **more}

    return {
        "customers": {"acme": customer("acme", "aws/eu-west-1"), "globex": customer("globex", "ovh/gra")},
        "people": {
            "ada": person("ada", email="ada@acme.example", memberships={"acme": "member"}),
            "grace": person("grace", memberships={"globex": "owner"}),
            "dana": person("dana"),
            "olga": person("olga"),
            "nobody": person("nobody"),
        },
        "staff": {
            "teams": {
                "support": {"members": ["dana"], "environments": ["acme/main"]},
                "operations": {"members": ["olga"], "operations": True},
            }
        },
        "streams": [{"host": "web1.acme.example", "program": "pgbouncer", "stream": "app"}],
    }


def segment(key: DataKey, node: NodeName, first: int, count: int = 10) -> SegmentEntry:
    """A catalogue row that fits the key."""
    assert key.stream is not None
    return SegmentEntry(
        name=segment_name(key.environment, key.stream, key.day, node, first),
        environment=key.environment,
        stream=key.stream,
        node=node,
        day=key.day,
        first=first,
        count=count,
        arrival_min=NOW,
        arrival_max=NOW,
        text_bytes=100,
        clear_bytes=110,
        key=key.id,
        object_bytes=1000,
        object_sha256="ab" * 32,
    )


@dataclass
class KeeperHome:
    """A home and what outlives the keeper process: the clock and the keeper's log."""

    paths: KeeperPaths
    clock: MovableClock = field(default_factory=MovableClock)
    log: MemoryLog = field(default_factory=MemoryLog)
    clients: list[KeeperClient] = field(default_factory=list)

    def initialise(self) -> bytes:
        """The recorder's token."""
        return initialise(self.paths, INSTALLATION, clock=self.clock, randomness=OsRandomness()).reveal()

    @contextmanager
    def running(self) -> Iterator["KeeperHome"]:
        """The keeper serves inside the block; what ends it early is raised."""
        ready, failed, loops = threading.Event(), [], []

        async def run() -> None:
            stop = asyncio.Event()
            loops.append((asyncio.get_running_loop(), stop))
            await serve(
                self.paths,
                INSTALLATION,
                clock=self.clock,
                randomness=OsRandomness(),
                log=self.log,
                policies=CedarPolicies(POLICIES),
                ready=ready.set,
                stop=stop,
                elapsed=self.clock.elapsed,
            )

        def thread() -> None:
            try:
                asyncio.run(run())
            except BaseException as error:
                failed.append(error)
            finally:
                ready.set()

        running = threading.Thread(target=thread)
        running.start()
        try:
            assert ready.wait(20)
            if not failed:
                yield self
        finally:
            for client in self.clients:
                client.close()
            if running.is_alive():
                loop, stop = loops[0]
                loop.call_soon_threadsafe(stop.set)
            running.join(20)
            assert not running.is_alive()
        if failed:
            raise failed[0]

    def client(self, role: str) -> KeeperClient:
        """A client of a role."""
        self.clients.append(KeeperClient(self.paths.socket(role)))
        return self.clients[-1]

    def operator(self) -> OperatorKeeper:
        """The operator's side."""
        return OperatorKeeper(self.client("operator"))

    def node(self, name: str = "n1", hosting: Hosting = AWS) -> NodeKeeper:
        """An announced node's side."""
        keeper = NodeKeeper(self.client("node"), NodeName(name))
        origin = f"{INSTALLATION}/{name}"
        vkey = signer(origin, hashlib.sha256(name.encode()).digest()).verifier().vkey()
        keeper.announce(origin, vkey, vkey, hosting)
        return keeper


def keeper_home(folder: Path) -> KeeperHome:
    """An initialised home in a folder whose path is short enough for sockets."""
    home = KeeperHome(KeeperPaths.under(folder))
    home.initialise()
    return home
