"""One flush: minimised lines in, one durable frame out.

Order: salt and hash each (environment, stream) as a batch → number and encrypt them → one frame, one fsync → advance
the state. Until the fsync returns nothing is acknowledged and the state is as it was, so a flush that fails
may be tried again or dropped; after it, everything else (log, segments) is a pure function of the frame.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from holdfast.formats import records
from holdfast.formats.batches import SALT, SECRET, BatchHeader, batch_leaf
from holdfast.formats.frames import NONCE, POSITIONS, BatchBody, Sealable
from holdfast.formats.lines import Offsets
from holdfast.formats.positions import Positions
from holdfast.kernel.errors import BusyError
from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.rules.batching import batch_roots
from holdfast.rules.guard import MinimisedTable
from holdfast.vault.journaling import Journal, LiveKey, StreamHead, StreamKey
from holdfast.vault.ports import Randomness

STREAMS = 8_000
"""Streams after which a journal file is closed: what it becomes has to fit one transaction (sealingplans.Limits)."""
_DRAWN = SECRET + SALT
"""Random bytes of a batch: its secret and the salt of its entry."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """A durable flush: what its log entry is made of, and the batches for the answers to senders."""

    flush: int
    time: Instant
    leaves: Sequence[bytes]
    batches: dict[StreamKey, BatchHeader]


def carrier_of(stream: StreamKey, batches: Container[StreamKey]) -> StreamKey:
    """Which of a flush's batches carries what belongs to a stream."""
    return stream if stream in batches else (stream[0], Stream.SSH_ACCESS)


class Flusher:
    """Makes flushes on one node, in order: `batch` in one thread at a time, `flush` in another."""

    def __init__(
        self, node: NodeName, journal: Journal, randomness: Randomness, full: Callable[[Instant], bool]
    ) -> None:
        self._full = full
        self._node = node
        self._journal = journal
        self._randomness = randomness

    def batch(self, table: MinimisedTable) -> "Batched":
        """The lines by stream, their records and roots: what takes long and depends on nothing that came before, so it
        may be done while the flush before is being written. Any thread."""
        rows = _Rows(table.table)
        drawn = self._randomness.bytes(_DRAWN * len(rows.parts))  # once: a flush has hundreds of batches
        draws = [drawn[at : at + _DRAWN] for at in range(0, len(drawn), _DRAWN)]
        counts = [part.count for part in rows.parts]
        return Batched(rows, draws, batch_roots([draw[:SECRET] for draw in draws], counts, rows.records))

    def flush(self, batched: "Batched", now: Instant, positions: dict[StreamKey, Positions]) -> Flushed:
        """Commit the lines, and with each batch the sender positions that it moves. Raises BusyError (nothing
        happened) or OutcomeUnknownError (stop and recover)."""
        rows, state = batched.rows, self._journal.state
        self._rotate(now)
        live = self._journal.live_keys([part.stream for part in rows.parts], day_of(now))
        carried = self._carriers(rows, positions)
        nonces = self._randomness.bytes(NONCE * len(rows.parts))  # anew each time a flush is tried
        sealables: list[Sealable] = []
        batches: dict[StreamKey, BatchHeader] = {}
        for at, (part, draw, root) in enumerate(zip(rows.parts, batched.draws, batched.roots, strict=True)):
            head = state.heads.get(part.stream) or StreamHead()
            header = BatchHeader(*part.stream, self._node, head.next, part.count, root, head.previous)
            moved = carried.get(part.stream)
            batches[part.stream] = header
            body = BatchBody(
                header.encode(), draw[SECRET:], draw[:SECRET], moved.encode() if moved else b"", *rows.of(part)
            )
            nonce = nonces[NONCE * at : NONCE * at + NONCE]
            sealables.append(_sealable(header, body, part, live(part.stream), nonce))
        self._journal.write(now, sealables)
        flush = state.next_flush
        state.next_flush += 1
        state.last = now
        for (stream, header), sealable in zip(batches.items(), sealables, strict=True):
            state.heads[stream] = StreamHead(header.first + header.count, sealable.leaf)
        return Flushed(flush, now, [sealable.leaf for sealable in sealables], batches)

    def _carriers(self, rows: "_Rows", positions: dict[StreamKey, Positions]) -> dict[StreamKey, Positions]:
        """The positions by the batch that carries them: their stream's, or, where sshd's lines were all there was, that
        of the environment's `ssh-access`."""
        here = {part.stream for part in rows.parts}
        carried: dict[StreamKey, Positions] = {}
        for stream, moved in positions.items():
            carrier = carrier_of(stream, here)
            for item in moved:
                carried.setdefault(carrier, Positions()).move(*item)
        return carried

    def rotate_if_due(self, now: Instant) -> None:
        """Close the newest journal file if it is of another day, or large or old enough to be sealed, or has lines of
        very many streams. BusyError if a new one cannot be made now."""
        many = self._journal.streams >= STREAMS and not self._journal.empty
        if many or self._other_day(now) or self._full(now):
            self._journal.rotate(now)

    def _rotate(self, now: Instant) -> None:
        """The same before a flush: while there can be no new file the old one serves, unless it is of another day."""
        try:
            self.rotate_if_due(now)
        except BusyError:
            if self._other_day(now):
                raise

    def _other_day(self, now: Instant) -> bool:
        return self._journal.day != day_of(now) and not self._journal.empty


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines `start` to `start + count - 1` of a flush: those of one stream, in order of arrival."""

    stream: StreamKey
    start: int
    count: int
    text_bytes: int
    clear_bytes: int
    arrival: Instant


class _Rows:
    """The lines of a flush by stream, streams sorted by (environment, stream) as the flush root wants them (formats,
    Flush). Their records lie end to end in one buffer, of which each part is a slice."""

    def __init__(self, table: pl.DataFrame) -> None:
        table = table.sort("environment", "stream", maintain_order=True)
        self.records = records.encode(table)
        self._offsets = np.frombuffer(self.records.buffers()[1], np.int64)[: len(table) + 1]
        self._data = memoryview(self.records.buffers()[2])
        self.parts = _parts(table)

    def of(self, part: _Part) -> tuple[Offsets, memoryview]:
        """The length of each of the part's records, and the records end to end."""
        offsets = self._offsets[part.start : part.start + part.count + 1]
        return np.diff(offsets), self._data[int(offsets[0]) : int(offsets[-1])]


@dataclass(frozen=True, slots=True)
class Batched:
    """Lines on their way into a flush: hashed, not yet numbered. `draws` and `roots` go with the parts of `rows`."""

    rows: _Rows
    draws: Sequence[bytes] = field(repr=False)
    roots: Sequence[bytes]


def _parts(table: pl.DataFrame) -> list[_Part]:
    runs = table.select(pl.struct("environment", "stream").rle().alias("run")).unnest("run")
    counts = runs["len"].to_numpy().astype(np.int64)
    starts = np.cumsum(counts) - counts
    text, clear = (np.add.reduceat(table[name].to_numpy(), starts) for name in ("text_bytes", "clear_bytes"))
    arrival = np.minimum.reduceat(table["arrival"].to_numpy(), starts)
    columns = zip(starts.tolist(), counts.tolist(), text.tolist(), clear.tolist(), arrival.tolist(), strict=True)
    return [
        _Part(
            (EnvironmentName(place["environment"]), Stream(place["stream"])),
            start,
            count,
            text_bytes,
            clear_bytes,
            Instant(first),
        )
        for place, (start, count, text_bytes, clear_bytes, first) in zip(runs["value"].to_list(), columns, strict=True)
    ]


def _sealable(header: BatchHeader, body: BatchBody, part: _Part, key: LiveKey, nonce: bytes) -> Sealable:
    return Sealable(
        key=key.id,
        cipher=key.cipher,
        leaf=batch_leaf(body.salt, body.header),
        nonce=nonce,
        flags=POSITIONS if body.positions else 0,
        first=header.first,
        count=header.count,
        text_bytes=part.text_bytes,
        clear_bytes=part.clear_bytes,
        arrival=part.arrival,
        plaintext=body.encode(),
    )
