"""What is gathered for one flush: syslog blocks and waiting HTTP chunks of one UTC day of arrival."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from holdfast.formats.positions import Position, Positions
from holdfast.intake.http import HttpChunk, Receipt
from holdfast.intake.preparing import FileBlock, SyslogBlock
from holdfast.kernel.errors import BusyError
from holdfast.kernel.instants import Day, Instant, day_of
from holdfast.vault.journaling import StreamKey


@dataclass(slots=True)
class Waiting:
    """One HTTP chunk on its way, and who waits for it."""

    chunk: HttpChunk
    block: FileBlock
    answer: "asyncio.Future[Receipt]"


@dataclass(slots=True, eq=False)
class Gathering:
    """A flush being collected. `lines` and `bytes` (of memory) count all of it."""

    syslog: deque[SyslogBlock] = field(default_factory=deque)
    http: deque[Waiting] = field(default_factory=deque)
    lines: int = 0
    bytes: int = 0
    stale: bool = False
    """Whether something was turned away since the lines were prepared."""
    since: float = 0.0
    """When the first of them came, by the event loop's clock."""

    def cut(self, lines: int, size: int) -> "Gathering":
        """The first blocks, about that many lines or bytes, taken out; what stays goes into the next flush and arrived
        no earlier: arrivals never go back from flush to flush."""
        part = Gathering(since=self.since)
        while (self.syslog or self.http) and part.lines < lines and part.bytes < size:
            if self.http and (not self.syslog or self.http[0].block.arrival <= self.syslog[0].arrival):
                waiting = self.http.popleft()
                part.http.append(waiting)
                part.add(waiting.block)
            else:
                block = self.syslog.popleft()
                part.syslog.append(block)
                part.add(block)
        self.lines -= part.lines
        self.bytes -= part.bytes
        return part

    def add(self, block: SyslogBlock | FileBlock) -> None:
        """Count it."""
        self.lines += len(block.lines)
        self.bytes += block.weight

    def blocks(self) -> list[SyslogBlock | FileBlock]:
        """Everything to be parsed, in order."""
        return [*self.syslog, *(waiting.block for waiting in self.http)]

    def time(self) -> Instant:
        """The newest arrival: the flush's own time."""
        return max(block.arrival for block in self.blocks())

    def day(self) -> Day:
        """The one day all of it arrived on."""
        return day_of(self.time())

    def positions(self) -> dict[StreamKey, Positions]:
        """Where the chunks move their senders' positions, by stream."""
        moved: dict[StreamKey, Positions] = {}
        for waiting in self.http:
            chunk = waiting.chunk
            moved.setdefault((chunk.environment, chunk.stream), Positions()).move(
                chunk.source, Position(chunk.offset, chunk.length, chunk.digest, self.time())
            )
        return moved

    def turn_away(self, error: BusyError) -> int:
        """Answer the HTTP chunks with the error and forget them, for their senders keep them. The bytes let go of."""
        freed = 0
        for waiting in self.http:
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
            self.lines -= len(waiting.block.lines)
            freed += waiting.block.weight
        self.stale = self.stale or bool(self.http)
        self.bytes -= freed
        self.http.clear()
        return freed

    def arrive(self, now: Instant) -> None:
        """Let all of it arrive now: nothing of it is durable yet, and no key of the day it came on is to be had."""
        self.syslog = deque(replace(block, arrival=now) for block in self.syslog)
        for waiting in self.http:
            waiting.block = replace(waiting.block, arrival=now)

    def by_day(self) -> Iterator["Gathering"]:
        """The same, cut at midnight: no batch spans two days (formats, Days)."""
        days = sorted({day_of(block.arrival) for block in self.blocks()})
        if len(days) <= 1:
            yield self
            return
        for day in days:
            part = Gathering(
                deque(block for block in self.syslog if day_of(block.arrival) == day),
                deque(waiting for waiting in self.http if day_of(waiting.block.arrival) == day),
            )
            for block in part.blocks():
                part.add(block)
            yield part
