"""One node: recover, then listen. What it is made of comes from wiring as live objects behind the vault's ports.

Order at start: register known → journal and log recovered → integrator → listeners → ready. A keeper that is away and a
disk that is full are waited for a while. At stop: listeners closed → what was received made durable → log brought up to
it. A crash at any point leaves what recovery reads.
"""

import asyncio
import contextlib
import logging
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from holdfast.drivers.allocator import keep_pages
from holdfast.formats.promises import PromiseSigner
from holdfast.intake.http import HttpLimits, app
from holdfast.intake.http_server import server
from holdfast.intake.http_tokens import Tokens
from holdfast.intake.integrator import Integrator
from holdfast.intake.listening import SyslogListener
from holdfast.intake.pipeline import Limits, Pipeline
from holdfast.intake.places import Places, places_of
from holdfast.intake.preparing import Preparer
from holdfast.intake.pseudonymkeys import PseudonymKeys
from holdfast.kernel.errors import BusyError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import NodeName
from holdfast.vault.flushing import Flusher
from holdfast.vault.journaling import Journal
from holdfast.vault.ports import Clock, JournalStore, KeySource, LogSink, Randomness
from holdfast.vault.recovering import recover

log = logging.getLogger("holdfast.intake")
T = TypeVar("T")

REGISTER_SECONDS = 2.0
SWITCH_SECONDS = 0.001
"""A thread that comes back from numpy or polars waits this long for the one that hashes, hundreds of times a flush:
Python's own 5 ms would make it wait most of the time."""
START_SECONDS = 30.0
STOP_SECONDS = 20.0
"""What is in hand has so long to become durable before the node stops without it: less than `up` waits."""
OWN_FILES = 256
"""File descriptors kept for journal, log, stores and the keeper, whatever comes in."""


@dataclass(frozen=True)
class NodeParts:
    """What wiring gives a node. `host_map` and `tokens` ask the keeper; `seal(numbers)` seals closed journal
    files."""

    installation: str
    node: NodeName
    hosting: str
    syslog: tuple[str, int]
    http: tuple[str, int]
    limits: Limits
    http_limits: HttpLimits
    max_frame: int
    max_connections: int
    clock: Clock
    randomness: Randomness
    keys: KeySource
    journal: JournalStore
    log: LogSink
    host_map: Callable[[], Mapping[str, object]]
    tokens: Tokens
    promises: PromiseSigner
    seal: Callable[[Sequence[int]], None]
    seal_bytes: int
    seal_seconds: float


class Register:
    """The node's copy of the register, refreshed from the keeper; the last one known serves while the keeper is
    away."""

    def __init__(self, ask: Callable[[], Mapping[str, object]], hosting: str) -> None:
        self._ask, self._hosting = ask, hosting
        self.places = Places()

    def refresh(self) -> None:
        """Ask the keeper. Raises BusyError if it is away."""
        self.places = places_of(self._ask(), self._hosting)

    async def follow(self) -> None:
        """Keep it fresh."""
        while True:
            await asyncio.sleep(REGISTER_SECONDS)
            try:
                await asyncio.to_thread(self.refresh)
            except BusyError:
                continue


async def serve(parts: NodeParts, ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Run the node until `stop` is set. Raises whatever means that it must not go on."""
    connections = _syslog_connections(parts)
    keep_pages()
    sys.setswitchinterval(SWITCH_SECONDS)
    register = Register(parts.host_map, parts.hosting)
    await patiently(stop, register.refresh)
    context = f"{parts.installation}/{parts.node}".encode()
    journal = await patiently(
        stop, recover, parts.node, context, parts.journal, parts.keys, parts.log, parts.clock, parts.randomness
    )
    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def failed(error: BaseException) -> None:
        loop.call_soon_threadsafe(_break, broken, error)

    sealing = Sealing(parts, journal)
    integrator = Integrator(parts.node, parts.log, sealing.turn, failed)
    pipeline = Pipeline(
        journal,
        Flusher(parts.node, journal, parts.randomness, sealing.due),
        Preparer(PseudonymKeys(parts.keys)),
        parts.clock,
        parts.limits,
        lambda: register.places,
        integrator.add,
    )
    listener = SyslogListener(pipeline, parts.max_frame, connections)
    web = server(app(pipeline, parts.tokens, parts.promises, parts.http_limits), *parts.http, parts.http_limits)
    pipeline_stop = asyncio.Event()
    making = asyncio.create_task(pipeline.run(pipeline_stop))
    integrator.start()
    syslog = await listener.start(*parts.syslog)
    tasks = [making, asyncio.create_task(web.serve()), asyncio.create_task(register.follow())]
    await web.listening(tasks[1])
    waits: list[asyncio.Future[object]] = [asyncio.create_task(stop.wait()), broken, *tasks]  # type: ignore[list-item]
    ready()
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            ended.result()
    finally:
        syslog.close()
        listener.abort()
        web.should_exit = True
        await asyncio.sleep(0)
        pipeline_stop.set()
        await asyncio.wait([making, tasks[1]], timeout=STOP_SECONDS)
        tasks[2].cancel()
        await asyncio.to_thread(integrator.close)


async def patiently(stop: asyncio.Event, work: Callable[..., T], *args: object) -> T:
    """Do a step of the start, which may be done again, in a thread; for half a minute BusyError means to try again."""
    loop = asyncio.get_running_loop()
    until, waiting = loop.time() + START_SECONDS, False
    while True:
        try:
            return await asyncio.to_thread(work, *args)
        except BusyError as error:
            if stop.is_set() or loop.time() > until:
                raise
            if not waiting:
                fields = {"what": "the start", "code": error.code, "reason": error.message}
                log.warning("waiting", extra={"fields": fields})
            waiting = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)


def _break(broken: "asyncio.Future[None]", error: BaseException) -> None:
    if not broken.done():
        broken.set_exception(error)


class Sealing:
    """When the journal file is due for sealing, and the turn of the integrator that seals what is closed."""

    def __init__(self, parts: NodeParts, journal: Journal) -> None:
        self._parts, self._journal = parts, journal

    def due(self, now: Instant) -> bool:
        """Whether the newest file is large or old enough to be closed."""
        journal = self._journal
        if journal.empty:
            return False
        return journal.size >= self._parts.seal_bytes or now - journal.opened >= self._parts.seal_seconds * 1e9

    def turn(self) -> None:
        """Seal every closed file."""
        closed = [number for number in self._parts.journal.numbers() if number < self._journal.number]
        if closed:
            self._parts.seal(closed)


def _syslog_connections(parts: NodeParts) -> int:
    """As many syslog connections as are set, or fewer if this process may not open that many files: connections must
    never take the descriptors that the journal needs."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return parts.max_connections
    room = max(1, hard - parts.http_limits.most_connections - OWN_FILES)
    if room < parts.max_connections:
        log.warning(
            "fewer syslog connections than are set: raise the limit of open files",
            extra={"fields": {"taken": room, "set": parts.max_connections, "open_files": hard}},
        )
    return min(room, parts.max_connections)
