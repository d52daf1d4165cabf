"""`logs`: lines of one stream, filtered, as text or JSON, and on as they come in.

Memory does not grow with what is read: one span is decoded, shown and waited for at a time. Following looks at the
journal four times a second and asks the keeper again before each lease ends; what a denial then says ends the command.
"""

import asyncio
import dataclasses
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from holdfast.formats.commands import Logs
from holdfast.formats.records import array_bytes
from holdfast.gateway.opening import REFRESH_SECONDS, LiveReading, Visitor
from holdfast.gateway.output import Output
from holdfast.kernel.errors import ConflictError, RefusedError
from holdfast.kernel.instants import DAY_NS, Day, Instant, day_of
from holdfast.kernel.names import Form, NodeName
from holdfast.rules.rendering import render_json
from holdfast.rules.selection import Selection, selection
from holdfast.vault.reading import Reading
from holdfast.vault.selecting import Block, Selecting

_DEFAULT_NS = DAY_NS
_TAIL = 10
_DAYS_BACK: tuple[int | None, ...] = (1, 7, 90, None)
_TRIES = 4


async def logs(visitor: Visitor, asked: Logs, output: Output) -> int:
    """Write the lines; 0 when done. RefusedError if policy does not allow it."""
    now = visitor.now()
    if asked.follow and asked.since is None and asked.last is None:
        asked = dataclasses.replace(asked, last=_TAIL)
    if asked.since is None and asked.last is None:
        asked = dataclasses.replace(asked, since=Instant(min(now, asked.until or now) - _DEFAULT_NS))
    wanted = selection(asked.since, asked.until, asked.grep, asked.status, asked.path)
    ends = await _past(visitor, asked, wanted, output)
    if asked.follow:
        await _follow(visitor, asked, wanted, ends, output)
    return 0


def _form(asked: Logs) -> Form:
    return Form.CLEAR if asked.clear else Form.PSEUDONYM


async def _past(visitor: Visitor, asked: Logs, wanted: Selection, output: Output) -> dict[NodeName, int]:
    """What there is; per node the number after the last line looked at."""
    until = None if asked.until is None else day_of(Instant(max(0, asked.until - 1)))
    since = None if asked.since is None else day_of(asked.since)
    told, moved = False, ConflictError("lines-moved", "lines moved while they were read; ask again")
    written: dict[NodeName, int] = {}
    for attempt in range(_TRIES):
        reading = await _far_enough(visitor, asked, wanted, since, until)
        if not told:
            _tell_closed(reading, output)
            told = True
        selecting = Selecting(reading, wanted, whole=attempt + 1 < _TRIES)
        try:
            blocks = selecting.everything(written) if asked.last is None else selecting.newest(asked.last)
            await _write(visitor, asked, blocks, output, written)
            return selecting.ends
        except ConflictError as error:
            moved = error
            # Sealed under our hands: the keeper's next answer has the lines in a segment. Go on after what was written.
            if asked.last is not None and written:
                asked = dataclasses.replace(asked, last=None)
        finally:
            await visitor.thread(selecting.close)
        await asyncio.sleep(0.05)
    raise moved


async def _far_enough(
    visitor: Visitor, asked: Logs, wanted: Selection, since: Day | None, until: Day | None
) -> Reading:
    """A reading that goes back as far as is asked for; for the newest lines, no further than they do."""
    form = _form(asked)
    if since is not None or asked.last is None:
        return (await visitor.open(asked.stream, form, since, until))[0]
    newest = asked.until or visitor.now()
    for days in _DAYS_BACK:
        start = None if days is None else day_of(Instant(max(0, newest - days * DAY_NS)))
        reading, _ = await visitor.open(asked.stream, form, start, until)
        if days is None or await visitor.thread(_holds, reading, wanted, asked.last):
            break
    return reading


def _holds(reading: Reading, wanted: Selection, count: int) -> bool:
    selecting = Selecting(reading, wanted, whole=False)
    try:
        return selecting.counted(count) >= count
    finally:
        selecting.close()


async def _follow(visitor: Visitor, asked: Logs, wanted: Selection, ends: dict[NodeName, int], output: Output) -> None:
    live = LiveReading(visitor, asked.stream, _form(asked), day_of(visitor.now()))
    seen: dict[NodeName, int] = {}
    tries = 0
    while True:
        try:
            reading = await live.current(again=tries > 0)
        except RefusedError as error:
            raise RefusedError("access-ended", "you may no longer read this", **error.fields) from None
        held = {node: reading.end(node) for _, node in reading.days()}
        if held != seen or tries:
            selecting = Selecting(reading, wanted, whole=tries < _TRIES)
            try:
                await _write(visitor, asked, selecting.everything(ends), output, ends)
                ends.update(selecting.ends)
                seen, tries = held, 0
            except ConflictError:
                tries += 1
            finally:
                await visitor.thread(selecting.close)
        await asyncio.sleep(REFRESH_SECONDS)


async def _write(
    visitor: Visitor, asked: Logs, blocks: Iterator[Block], output: Output, written: dict[NodeName, int]
) -> None:
    """Write block after block, noting per node the number after the last line written. While one is written, the next
    is decoded; it is waited for even if the client goes, for it holds files open."""
    coming = asyncio.ensure_future(visitor.thread(_next, asked, blocks))
    try:
        while (shown := await asyncio.shield(coming)) is not None:
            coming = asyncio.ensure_future(visitor.thread(_next, asked, blocks))
            data, ends = shown
            await output.write(data)
            written.update(ends)
    finally:
        await asyncio.wait([coming])
        if not coming.cancelled():
            coming.exception()


def _next(asked: Logs, blocks: Iterator[Block]) -> tuple[bytes, dict[NodeName, int]] | None:
    block = next(blocks, None)
    if block is None:
        return None
    ends = {
        node: int(block.numbers[block.node == i].max()) + 1
        for i, node in enumerate(block.nodes)
        if (block.node == i).any()
    }
    return array_bytes(_shown(asked, block))[0], ends


def _shown(asked: Logs, block: Block) -> pa.LargeBinaryArray:
    if not (asked.json or asked.line_numbers):
        return block.text
    nodes = pa.array([node.encode() for node in block.nodes], pa.large_binary()).take(pa.array(block.node))
    numbers = pa.array(block.numbers).cast(pa.large_string()).cast(pa.large_binary())
    if asked.json:
        rest = pc.binary_slice(_flat(render_json(block.table)), 1, 2**31 - 1)
        return _flat(_joined(b'{"node":"', nodes, b'","line":', numbers, b",", rest))
    return _flat(_joined(nodes, b":", numbers, b" ", block.text))


def _joined(*parts: bytes | pa.Array) -> pa.Array:
    large = [pa.scalar(part, pa.large_binary()) if isinstance(part, bytes) else part for part in (*parts, b"")]
    return pc.binary_join_element_wise(*large)


def _flat(lines: pa.Array) -> pa.LargeBinaryArray:
    return lines.combine_chunks() if isinstance(lines, pa.ChunkedArray) else lines


def _tell_closed(reading: Reading, output: Output) -> None:
    closed = reading.closed_days()
    if closed:
        days = closed[0] if len(closed) == 1 else f"{closed[0]} to {closed[-1]} ({len(closed)} days)"
        output.say(f"addresses of {days} are no longer kept: read these days without --clear")
