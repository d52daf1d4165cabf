"""One flush: minimised lines in, one durable frame out.

Order: number the lines → salt, hash and encrypt each (environment, stream) as a batch → one frame, one fsync →
advance the state. Until the fsync returns nothing is acknowledged and the state is as it was, so a flush that fails
may be tried again or dropped; after it, everything else (log, segments) is a pure function of the frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.formats import records
from holdfast.formats.batches import SALT, SECRET, BatchHeader
from holdfast.formats.frames import POSITIONS, BatchBody, Sealable
from holdfast.formats.lines import Offsets
from holdfast.formats.positions import Positions
from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.rules.batching import batch_leaf, batch_root
from holdfast.rules.guard import MinimisedTable
from holdfast.vault.journaling import Journal, LiveKey, StreamHead, StreamKey
from holdfast.vault.ports import Randomness


@dataclass(frozen=True, slots=True)
class Flushed:
    """A durable flush: what its log entry is made of, and the batches for the answers to senders."""

    flush: int
    time: Instant
    leaves: Sequence[bytes]
    batches: dict[StreamKey, BatchHeader]


class Flusher:
    """Makes flushes on one node. One thread at a time."""

    def __init__(
        self, node: NodeName, journal: Journal, randomness: Randomness, full: Callable[[Instant], bool]
    ) -> None:
        self._full = full
        self._node = node
        self._journal = journal
        self._randomness = randomness

    def flush(self, table: MinimisedTable, now: Instant, positions: dict[StreamKey, Positions]) -> Flushed:
        """Commit the lines, and with each batch the sender positions that it moves. Raises BusyError (nothing
        happened) or OutcomeUnknownError (stop and recover)."""
        groups = _groups(table.table)
        state = self._journal.state
        day = day_of(now)
        self.rotate_if_due(now)
        live = self._journal.live_keys([stream for stream, _ in groups], day)
        sealables: list[Sealable] = []
        batches: dict[StreamKey, BatchHeader] = {}
        for stream, part in groups:
            head = state.heads.get(stream) or StreamHead()
            moved = positions.get(stream)
            header, sealable = self._batch(stream, part, head, live(stream), moved.encode() if moved else b"")
            batches[stream] = header
            sealables.append(sealable)
        self._journal.write(now, sealables)
        flush = state.next_flush
        state.next_flush += 1
        state.last = now
        for (stream, header), sealable in zip(batches.items(), sealables, strict=True):
            state.heads[stream] = StreamHead(header.first + header.count, sealable.leaf)
        return Flushed(flush, now, [sealable.leaf for sealable in sealables], batches)

    def rotate_if_due(self, now: Instant) -> None:
        """Close the newest journal file if it is of another day, or large or old enough to be sealed."""
        other_day = self._journal.day != day_of(now) and not self._journal.empty
        if other_day or self._full(now):
            self._journal.rotate(now)

    def _batch(
        self, stream: StreamKey, part: "_Part", head: StreamHead, key: LiveKey, positions: bytes
    ) -> tuple[BatchHeader, Sealable]:
        secret = self._randomness.bytes(SECRET)
        salt = self._randomness.bytes(SALT)
        count = len(part.records)
        header = BatchHeader(*stream, self._node, head.next, count, batch_root(secret, part.records), head.previous)
        encoded = header.encode()
        body = BatchBody(encoded, salt, secret, positions, part.lengths, b"".join(part.records))
        return header, Sealable(
            key=key.id,
            cipher=key.cipher,
            leaf=batch_leaf(salt, encoded),
            nonce=self._randomness.bytes(12),
            flags=POSITIONS if positions else 0,
            first=head.next,
            count=count,
            text_bytes=part.text_bytes,
            clear_bytes=part.clear_bytes,
            arrival=part.arrival,
            plaintext=body.encode(),
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines of one stream, in order of arrival."""

    records: list[bytes]
    lengths: Offsets
    text_bytes: int
    clear_bytes: int
    arrival: Instant


def _groups(rows: pl.DataFrame) -> list[tuple[StreamKey, _Part]]:
    """The lines by stream, streams sorted by (environment, stream) as the flush root wants them (formats, Flush)."""
    rows = rows.sort("environment", "stream", maintain_order=True)
    runs = rows.select(pl.struct("environment", "stream").rle().alias("run")).unnest("run")
    lengths = runs["len"].to_numpy().astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    encoded = records.encode(rows)
    sizes = np.diff(np.frombuffer(encoded.buffers()[1], np.int64)[encoded.offset : encoded.offset + len(rows) + 1])
    every: list[bytes] = encoded.to_pylist()
    parts: list[tuple[StreamKey, _Part]] = []
    sums = {
        name: np.add.reduceat(rows[name].to_numpy().astype(np.int64), starts) for name in ("text_bytes", "clear_bytes")
    }
    arrivals = np.minimum.reduceat(rows["arrival"].to_numpy(), starts)
    for i, (value, start, count) in enumerate(
        zip(runs["value"].to_list(), starts.tolist(), lengths.tolist(), strict=True)
    ):
        stream = (EnvironmentName(value["environment"]), Stream(value["stream"]))
        part = _Part(
            every[start : start + count],
            sizes[start : start + count],
            int(sums["text_bytes"][i]),
            int(sums["clear_bytes"][i]),
            Instant(int(arrivals[i])),
        )
        parts.append((stream, part))
    return parts
