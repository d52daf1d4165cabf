"""A node's journal in memory with what it holds, for tests of what comes after it."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.drivers.memory import MemoryJournalStore, MemoryKeySource, SeededRandomness
from holdfast.formats import records
from holdfast.formats.batches import BatchHeader, line_salts
from holdfast.formats.frames import STATE, BatchBody, Sealable, encode_frame
from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.keys import DataKey, KeyKind, KeyRequest
from holdfast.kernel.names import UNCLAIMED, EnvironmentName, Installation, NodeName, Stream
from holdfast.rules.merkle import root

NODE = NodeName("n1")
INSTALLATION = Installation("logs.example.net")
CONTEXT = f"{INSTALLATION}/{NODE}".encode()
NOON = Instant(1_795_176_000_000_000_000)
StreamKey = tuple[EnvironmentName, Stream]


def table_of(messages: list[bytes], arrival: int = NOON) -> pl.DataFrame:
    """A table of records with these messages."""
    count = len(messages)
    return pl.DataFrame(
        {
            "arrival": np.full(count, arrival, np.int64),
            "time": np.arange(count, dtype=np.int64) * 1_000_000 + NOON,
            "severity": np.full(count, 6, np.uint8),
            "host": ["web1"] * count,
            "program": ["nginx"] * count,
            "procid": [""] * count,
            "attributes": [""] * count,
            "message": pl.Series(messages, dtype=pl.Binary),
        },
        schema=records.SCHEMA,
    )


def batch_root(secret: bytes, encoded: list[bytes]) -> bytes:
    """MTH over the line entries."""
    salts = line_salts(secret, len(encoded))
    return root(
        [hashlib.sha256(b"\x00" + salts[16 * i : 16 * i + 16] + line).digest() for i, line in enumerate(encoded)]
    )


@dataclass
class WrittenJournal:
    """Writes frames as a node does; `lines` remembers what went into each stream, `leaves` the flushes."""

    store: MemoryJournalStore
    keys: MemoryKeySource
    randomness: SeededRandomness = field(default_factory=lambda: SeededRandomness(7))
    lines: dict[StreamKey, list[bytes]] = field(default_factory=dict)
    leaves: list[list[bytes]] = field(default_factory=list)
    _previous: dict[StreamKey, bytes] = field(default_factory=dict)
    _live: dict[tuple[StreamKey, str], DataKey] = field(default_factory=dict)

    def begin(self, number: int, now: Instant = NOON) -> None:
        """A new file with its state frame."""
        self._live = {}
        [key] = self.keys.make_keys([KeyRequest(KeyKind.STATE, UNCLAIMED, Stream.SYSTEM, day_of(now))])
        body = BatchBody(b"{}", bytes(16), bytes(32), b"", np.zeros(0, np.int64), b"")
        entry = self._entry(key, body, bytes(32), STATE, 0, 0, now)
        self.store.create(number, encode_frame(CONTEXT, len(self.leaves), now, [entry]))

    def flush(self, number: int, batches: dict[StreamKey, list[bytes]], now: Instant = NOON) -> None:
        """One flush of these messages."""
        entries = []
        for stream, messages in sorted(batches.items()):
            place = (stream, day_of(now))
            if place not in self._live:
                [self._live[place]] = self.keys.make_keys([KeyRequest(KeyKind.JOURNAL, *stream, day_of(now))])
            encoded = [line.as_py() for line in records.encode(table_of(messages, now))]
            secret, salt = self.randomness.bytes(32), self.randomness.bytes(16)
            held = self.lines.setdefault(stream, [])
            header = BatchHeader(
                stream[0],
                stream[1],
                NODE,
                len(held),
                len(encoded),
                batch_root(secret, encoded),
                self._previous.get(stream, b""),
            ).encode()
            leaf = hashlib.sha256(b"\x00" + salt + header).digest()
            body = BatchBody(
                header, salt, secret, b"", np.array([len(line) for line in encoded], np.int64), b"".join(encoded)
            )
            entries.append(self._entry(self._live[place], body, leaf, 0, len(held), len(encoded), now))
            held += encoded
            self._previous[stream] = leaf
        self.store.append(number, encode_frame(CONTEXT, len(self.leaves), now, entries))
        self.leaves.append([entry.leaf for entry in entries])

    def _entry(
        self, key: DataKey, body: BatchBody, leaf: bytes, flags: int, first: int, count: int, now: Instant
    ) -> Sealable:
        text = len(body.records)
        return Sealable(
            key.id,
            AESGCM(key.key.reveal()),
            leaf,
            self.randomness.bytes(12),
            flags,
            first,
            count,
            text,
            text + 1,
            now,
            body.encode(),
        )
