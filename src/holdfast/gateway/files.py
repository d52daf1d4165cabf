"""The files of one connection: which there are, how large, and what stands at an offset.

Each (stream, form) has one live reading, each open file one `Extents` that grows with it: what has been rendered is
taken over, since what stands at an offset stays there. Leases are renewed when something is read; a denial closes the
file to the reader.
"""

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass

from holdfast.gateway.opening import LiveReading, Visitor
from holdfast.gateway.tree import LogFile, StreamFolder, file_name
from holdfast.kernel.errors import ConflictError, HoldfastError
from holdfast.kernel.names import Form, NodeName, Stream
from holdfast.vault.extents import Extents
from holdfast.vault.reading import DayFile, Reading

_OPEN_FILES = 4
_READABLE_SECONDS = 10.0
_TRIES = 4


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file of a listing. `mtime` in whole seconds: when its last line arrived."""

    name: str
    size: int
    mtime: int


@dataclass(slots=True)
class _Shown:
    """Extents in use, and which state of the reading they are of."""

    extents: Extents
    generation: int
    end: int


class Files:
    """What one connection sees. Within one event loop."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._live: dict[tuple[Stream, Form], LiveReading] = {}
        self._shown: OrderedDict[tuple[Stream, Form, DayFile], _Shown] = OrderedDict()
        self._readable: dict[Stream, frozenset[Form]] = {}
        self._readable_until = 0.0
        self._lock = asyncio.Lock()

    async def readable(self) -> dict[Stream, frozenset[Form]]:
        """The streams there are for this person, each with its forms; asked of the keeper every ten seconds."""
        visitor = self._visitor
        if visitor.monotonic() >= self._readable_until:
            found = await visitor.keeper.streams(visitor.person, visitor.fingerprint, visitor.environment)
            self._readable = {stream: forms for stream, forms in found.items() if forms}
            self._readable_until = visitor.monotonic() + _READABLE_SECONDS
        return self._readable

    async def listing(self, folder: StreamFolder) -> list[FileFacts]:
        """The days of a stream. RefusedError if they may not be read."""
        reading = await self._reading(folder.stream, folder.form).current()
        return await self._visitor.thread(_listing, reading)

    async def facts(self, file: LogFile) -> FileFacts | None:
        """One file, if it is there."""
        reading = await self._reading(file.stream, file.form).current()
        found = _find(reading, file)
        return None if found is None else await self._visitor.thread(_facts, reading, *found)

    async def read(self, file: LogFile, offset: int, length: int) -> bytes:
        """The bytes at an offset: all that are asked for unless the file ends before; none past its end."""
        extents = await self.extents(file, offset + length)
        for attempt in range(_TRIES):
            try:
                return await self._visitor.thread(extents.read, offset, length)
            except ConflictError:
                if attempt + 1 == _TRIES:
                    raise
                await asyncio.sleep(0.05 * attempt)
                extents = await self.extents(file, offset + length, again=True)
        raise AssertionError

    def ready(self, file: LogFile, offset: int, length: int) -> bytes | None:
        """As `read`, if it is decoded and within the file already and the lease runs; else None."""
        live = self._live.get((file.stream, file.form))
        reading = live.held() if live else None
        if reading is None or (found := _find(reading, file)) is None:
            return None
        shown = self._shown.get((file.stream, file.form, found))
        if shown is None or offset + length > shown.extents.size:
            return None
        return shown.extents.ready(offset, length)

    async def ahead(self, file: LogFile, offset: int) -> int | None:
        """Decode what follows; the offset from which on it is worth doing again."""
        with contextlib.suppress(HoldfastError):
            extents = await self.extents(file, offset)
            return await self._visitor.thread(extents.read_ahead, offset)
        return None

    async def extents(self, file: LogFile, end: int, *, again: bool = False) -> Extents:
        """The file as one text, grown up to `end` if it has come so far. ConflictError `file-missing` if it is gone."""
        async with self._lock:
            live = self._reading(file.stream, file.form)
            reading = None if again else live.held()
            found = _find(reading, file) if reading else None
            shown = self._shown.get((file.stream, file.form, found)) if found else None
            if shown is not None and end <= shown.extents.size and shown.generation == live.generation:
                return shown.extents
            return await self._grown(live, file, again)

    async def _grown(self, live: LiveReading, file: LogFile, again: bool) -> Extents:
        for attempt in range(_TRIES):
            reading = await live.current(again=again or attempt > 0)
            found = _find(reading, file)
            if found is None:
                raise ConflictError("file-missing", "there is no such file")
            key = (file.stream, file.form, found)
            shown = self._shown.get(key)
            end = reading.end_of(found)
            if shown is not None and shown.generation == live.generation and shown.end == end:
                self._shown.move_to_end(key)
                return shown.extents
            try:
                extents = await self._visitor.thread(reading.extents, *found, whole=attempt + 1 < _TRIES)
            except ConflictError:
                continue
            if shown is not None:
                if extents.size < shown.extents.size and attempt + 1 < _TRIES:
                    continue  # sealed a moment ago: the keeper's next answer has it all
                extents.adopt(shown.extents)
                await self._visitor.thread(shown.extents.close)
            self._shown[key] = _Shown(extents, live.generation, end)
            self._shown.move_to_end(key)
            while len(self._shown) > _OPEN_FILES:
                _, old = self._shown.popitem(last=False)
                await self._visitor.thread(old.extents.close)
            return extents
        raise ConflictError("lines-moved", "lines moved while they were read; ask again")

    def _reading(self, stream: Stream, form: Form) -> LiveReading:
        return self._live.setdefault((stream, form), LiveReading(self._visitor, stream, form, None))

    async def rest(self, file: LogFile) -> None:
        """A handle of this file was closed."""
        for (stream, form, (day, node)), shown in list(self._shown.items()):
            if (stream, form, day) == (file.stream, file.form, file.day) and file.node in (None, node):
                await self._visitor.thread(shown.extents.rest)

    async def close(self) -> None:
        """Let go of everything."""
        shown, self._shown = list(self._shown.values()), OrderedDict()
        for each in shown:
            await self._visitor.thread(each.extents.close)


def _find(reading: Reading, file: LogFile) -> DayFile | None:
    nodes = [node for day, node in reading.days() if day == file.day]
    if file.node is None:
        return (file.day, nodes[0]) if len(nodes) == 1 else None
    return (file.day, file.node) if file.node in nodes else None


def _listing(reading: Reading) -> list[FileFacts]:
    return [_facts(reading, *file) for file in reading.days()]


def _facts(reading: Reading, day: str, node: NodeName) -> FileFacts:
    file = next(found for found in reading.days() if found == (day, node))
    extents = reading.extents(*file, whole=False)
    try:
        alone = sum(found == day for found, _ in reading.days()) == 1
        return FileFacts(file_name(file[0], node, alone), extents.size, extents.arrival_max // 1_000_000_000)
    finally:
        extents.close()
