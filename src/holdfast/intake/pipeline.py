"""From listeners to durable flushes: group commit by time and size, back-pressure, and "not now".

Listeners hand in blocks; one collector gathers a flush while the one before is parsed, the one before that hashed, and
the one before that written (three threads, one flush each, in order). An HTTP block is answered when its flush is
durable. When the disk is full or the keeper away all HTTP blocks in hand are answered "not now" (BusyError) and
forgotten, for their senders keep them; syslog has no such answer, so its blocks are tried again until they are taken,
and when as much waits as may, nothing more is read. A disk that fails in fsync ends the process: only a fresh look at
the disk tells what is there.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from holdfast.formats.positions import Accept, Duplicate, Position, Source
from holdfast.intake.gathering import Gathering, Waiting
from holdfast.intake.http import HttpChunk, Receipt
from holdfast.intake.places import Places
from holdfast.intake.preparing import FileBlock, Preparer, SyslogBlock
from holdfast.kernel.errors import BusyError, ConflictError, RefusedError
from holdfast.kernel.instants import Instant
from holdfast.rules.guard import MinimisedTable
from holdfast.vault.flushing import Batched, Flushed, Flusher, carrier_of
from holdfast.vault.journaling import Journal
from holdfast.vault.ports import Clock

log = logging.getLogger("holdfast.intake")
T = TypeVar("T")

RETRY_SECONDS = 0.5
IDLE_SECONDS = 1.0
_FINISHING = 2
"""Flushes that are past parsing at once: one being hashed, one being written."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a flush is made, and how much may wait (lines, bytes, seconds)."""

    flush_seconds: float = 0.1
    flush_lines: int = 40_000
    flush_bytes: int = 16 << 20
    pending_bytes: int = 64 << 20


class Pipeline:
    """Takes blocks in and makes them durable. Lives on one event loop; satisfies intake.http.Taker."""

    def __init__(
        self,
        journal: Journal,
        flusher: Flusher,
        preparer: Preparer,
        clock: Clock,
        limits: Limits,
        places: Callable[[], Places],
        flushed: Callable[[Flushed], None],
    ) -> None:
        self._journal, self._flusher, self._preparer = journal, flusher, preparer
        self._clock, self._limits, self._places, self._flushed = clock, limits, places, flushed
        self._gathering = Gathering()
        self._in_hand: list[Gathering] = []  # taken out of the gathering, and not written yet
        self._pending = 0
        self._wake = asyncio.Event()
        self._arrival = journal.state.last
        self._parse_thread = ThreadPoolExecutor(1, "prepare")
        self._hash_thread = ThreadPoolExecutor(1, "batch")
        self._write_thread = ThreadPoolExecutor(1, "commit")
        self.stalled = False
        self.on_pressure: Callable[[bool], None] = lambda full: None

    def arrival(self) -> Instant:
        """Now, by the node's clock, never before an earlier arrival."""
        self._arrival = max(self._arrival, self._clock.now())
        return self._arrival

    def put(self, block: SyslogBlock) -> None:
        """Take syslog frames in. They are kept in order and never dropped; read `full` before reading more."""
        self._gathering.syslog.append(block)
        self._count(block)

    async def take(self, chunk: HttpChunk) -> Receipt:
        """Take a chunk of a file in; resolves after fsync. A chunk taken before is answered as it was then."""
        if chunk.environment not in self._places().environments:
            raise RefusedError("hosting", "that environment is not on this node's hosting")
        if self.stalled or self.full:
            raise BusyError("not-now", "the node cannot take lines at the moment; send them again later")
        verdict = self._journal.state.positions.judge(chunk.source, chunk.offset, chunk.length, chunk.digest)
        if isinstance(verdict, Duplicate):
            return receipt_of(verdict.position, duplicate=True)
        if not isinstance(verdict, Accept):
            raise ConflictError(
                "position", "the node stands elsewhere in that file; go on there", expected=verdict.position.end
            )
        block = FileBlock(chunk.lines, self.arrival(), chunk.environment, chunk.stream, chunk.file)
        waiting = Waiting(chunk, block, asyncio.get_running_loop().create_future())
        self._gathering.http.append(waiting)
        self._count(block)
        return await waiting.answer

    def position(self, source: Source) -> Position | None:
        """Where a source stands, as far as it is durable."""
        return self._journal.state.positions.get(source)

    def ready(self) -> bool:
        """Whether lines are taken at all."""
        return not self.stalled

    @property
    def full(self) -> bool:
        """Whether listeners should stop reading."""
        return self._pending >= self._limits.pending_bytes

    def _count(self, block: SyslogBlock | FileBlock) -> None:
        if not self._gathering.lines:
            self._gathering.since = asyncio.get_running_loop().time()
        self._gathering.add(block)
        was_full, self._pending = self.full, self._pending + block.weight
        if self.full and not was_full:
            self.on_pressure(True)
        self._wake.set()

    def _release(self, size: int) -> None:
        was_full, self._pending = self.full, self._pending - size
        if was_full and not self.full:
            self.on_pressure(False)

    async def run(self, stop: asyncio.Event) -> None:
        """Make flushes until told to stop, then the last one. Ends with an error only when the process must stop."""
        finishing: list[asyncio.Task[None]] = []
        while not (stop.is_set() and not self._gathering.lines):
            if not self._gathering.lines:
                for task in finishing:
                    await task
                finishing.clear()
                await self._idle(stop)
                continue
            await self._collect(stop)
            gathered = self._gathering.cut(self._limits.flush_lines, self._limits.flush_bytes)
            self._wake.clear()
            for part in gathered.by_day():
                self._in_hand.append(part)
                prepared = [await self._prepare(part)]
                if len(finishing) == _FINISHING:
                    await finishing.pop(0)
                before = finishing[-1] if finishing else None
                # `pop`: the table is large, and nobody else may hold on to it.
                finishing.append(asyncio.create_task(self._finish(part, prepared.pop(), before)))
        for task in finishing:
            await task

    async def _idle(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(self._wake.wait()), asyncio.create_task(stop.wait())]
        done, _ = await asyncio.wait(waits, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not done:
            with contextlib.suppress(BusyError):  # it is tried again on the next turn
                await self._on(self._write_thread, self._flusher.rotate_if_due, self.arrival())

    async def _collect(self, stop: asyncio.Event) -> None:
        until = self._gathering.since + self._limits.flush_seconds
        while not stop.is_set():
            left = until - asyncio.get_running_loop().time()
            big = self._gathering.lines >= self._limits.flush_lines or self._gathering.bytes >= self._limits.flush_bytes
            if left <= 0 or big:
                return
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except TimeoutError:
                return

    async def _prepare(self, part: Gathering) -> MinimisedTable | None:
        """The part's lines, minimised; tried until it works for syslog, None if nothing is left to take."""
        while part.syslog or part.http:
            part.stale = False
            try:
                return await self._on(
                    self._parse_thread, self._preparer.prepare, part.blocks(), self._places(), part.day()
                )
            except BusyError as error:
                await self._not_now(error)
            except RefusedError as error:
                if error.code != "pseudonym-day":
                    raise
                # The keeper was away over midnight: the day they came on is over, and nothing of it is made any more.
                part.arrive(self.arrival())
        return None

    async def _finish(self, part: Gathering, table: MinimisedTable | None, before: "asyncio.Task[None] | None") -> None:
        """The part hashed, then, after the part before, written and answered."""
        batched = await self._batch(table)
        del table
        if before:
            await before
        await self._commit(part, batched)
        self.stalled = False
        self._release(part.bytes)

    async def _batch(self, table: MinimisedTable | None) -> Batched | None:
        return None if table is None else await self._on(self._hash_thread, self._flusher.batch, table)

    async def _commit(self, part: Gathering, batched: Batched | None) -> None:
        """The part made durable, and answered."""
        while True:
            if part.stale:
                batched = await self._batch(await self._prepare(part))
            self._in_hand.remove(part)  # from here on it is written or not, whatever becomes of the others
            if batched is None:
                return
            try:
                flushed = await self._on(
                    self._write_thread, self._flusher.flush, batched, part.time(), part.positions()
                )
            except BusyError as error:
                self._in_hand.insert(0, part)
                await self._not_now(error)
                continue
            self._answer(part, flushed)
            return

    async def _not_now(self, error: BusyError) -> None:
        """Send every HTTP chunk in hand back to its sender, and wait a little before syslog's lines are tried again."""
        if not self.stalled:
            log.warning("not taking lines", extra={"fields": {"code": error.code, "reason": error.message}})
        self.stalled = True
        for gathered in (*self._in_hand, self._gathering):
            self._release(gathered.turn_away(error))
        await asyncio.sleep(RETRY_SECONDS)

    def _answer(self, part: Gathering, flushed: Flushed) -> None:
        positions = self._journal.state.positions
        for stream, moved in part.positions().items():
            positions.merge(moved, flushed.batches[carrier_of(stream, flushed.batches)])
        for waiting in part.http:
            position = positions.get(waiting.chunk.source)
            if position is not None and not waiting.answer.done():
                waiting.answer.set_result(receipt_of(position))
        if self.stalled:
            log.warning("taking lines again")
        self._flushed(flushed)

    async def _on(self, thread: ThreadPoolExecutor, call: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, call, *args)


def receipt_of(position: Position, *, duplicate: bool = False) -> Receipt:
    """The receipt of a chunk that is durable."""
    promise = position.promise
    assert promise is not None
    return Receipt(
        promise.environment,
        promise.stream,
        promise.node,
        promise.first,
        promise.count,
        promise.root,
        promise.time,
        duplicate,
    )
