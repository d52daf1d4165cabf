"""One segment out of the journal: written batch by batch, then read back with its key and compared line by line.

Each batch is held against what the journal says of it in the clear: its numbers, its leaf hash, the leaf before it.
Memory holds one block of lines and one row group, whatever the stream's size.
"""

import contextlib
import hashlib
from collections.abc import Iterator

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import records
from holdfast.formats.batches import batch_leaf, parse_header
from holdfast.formats.batchlists import SealedBatch
from holdfast.formats.digests import Digesting
from holdfast.formats.frames import BatchBody
from holdfast.formats.segments import SegmentReader, SegmentWriter
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.keys import DataKey
from holdfast.kernel.names import Installation, KeyId
from holdfast.kernel.segments import SegmentEntry, segment_name
from holdfast.vault.journalreading import JournalFile, journal_name
from holdfast.vault.ports import JournalStore, Store
from holdfast.vault.sealingplans import Plan, PlannedSegment

_BLOCK_LINES = 16_384
_BLOCK_BYTES = 8 << 20


def seal_segment(
    plan: Plan, planned: PlannedSegment, key: DataKey, journal: JournalStore, store: Store, installation: Installation
) -> SegmentEntry:
    """The catalogue's row of a segment that is durable and reads back. VerificationError if anything does not hold."""
    name = segment_name(planned.environment, planned.stream, planned.day, plan.node, planned.first)
    if store.exists(name):
        store.delete(name)  # Left by a crash: the journal keys still open, so no catalogue knows it.
    batches: list[SealedBatch] = []
    written, read = hashlib.sha256(), hashlib.sha256()
    earliest, latest = 2**63 - 1, -(2**63)
    with store.writing(name) as sink:
        digesting = Digesting(sink)
        writer = SegmentWriter(digesting, key.key, installation, name)
        for first, table in _blocks(plan, planned, f"{installation}/{plan.node}".encode(), journal, batches):
            arrivals = table["arrival"].to_numpy()
            earliest, latest = min(earliest, int(arrivals.min())), max(latest, int(arrivals.max()))
            written.update(_fingerprint(table))
            writer.add(first, table)
        if {day_of(Instant(earliest)), day_of(Instant(latest))} != {planned.day}:
            raise VerificationError("journal-day", "lines of another day lie under a day's key", object=name)
        writer.close(batches)
    with store.open(name) as source:
        reader = SegmentReader(source, key.key, installation, name)
        for table in reader.tables():
            read.update(_fingerprint(table))
        if read.digest() != written.digest() or list(reader.batches) != batches:
            raise VerificationError("segment-differs", "a segment does not read back as it was written", object=name)
    return SegmentEntry(
        name=name,
        environment=planned.environment,
        stream=planned.stream,
        node=plan.node,
        day=planned.day,
        first=planned.first,
        count=planned.lines,
        arrival_min=Instant(earliest),
        arrival_max=Instant(latest),
        text_bytes=sum(batch.text_bytes for batch in batches),
        clear_bytes=sum(batch.clear_bytes for batch in batches),
        key=key.id,
        object_bytes=digesting.written,
        object_sha256=digesting.hexdigest(),
    )


def _fingerprint(table: pl.DataFrame) -> bytes:
    """A 64-bit hash of every line, so that the cut into blocks does not matter. Against faults, not against forgers:
    AES-GCM keeps those out."""
    return table.hash_rows().to_numpy().tobytes()


def _blocks(
    plan: Plan, planned: PlannedSegment, context: bytes, journal: JournalStore, batches: list[SealedBatch]
) -> Iterator[tuple[int, pl.DataFrame]]:
    """The lines of a segment in blocks, each with its first line's number; fills in `batches` on the way."""
    first, waiting, lines, size = planned.first, list[BatchBody](), 0, 0
    for body in _bodies(plan, planned, context, journal, batches):
        waiting.append(body)
        lines, size = lines + len(body.lengths), size + len(body.records)
        if lines >= _BLOCK_LINES or size >= _BLOCK_BYTES:
            yield first, _decoded(waiting)
            first, waiting, lines, size = first + lines, [], 0, 0
    if waiting:
        yield first, _decoded(waiting)


def _decoded(bodies: list[BatchBody]) -> pl.DataFrame:
    return records.decode(b"".join(body.records for body in bodies), np.concatenate([body.lengths for body in bodies]))


def _bodies(
    plan: Plan, planned: PlannedSegment, context: bytes, journal: JournalStore, batches: list[SealedBatch]
) -> Iterator[BatchBody]:
    with contextlib.ExitStack() as stack:
        file: JournalFile | None = None
        ciphers: dict[KeyId, AESGCM] = {}
        before = b""
        for row in planned.rows.tolist():
            frame = plan.frames[int(plan.frame_of[row])]
            if file is None or file.number != frame.number:
                stack.close()
                file = JournalFile(stack.enter_context(journal.open(frame.number)), frame.number)
            key = plan.key_of(row)
            if key.id not in ciphers:
                ciphers[key.id] = AESGCM(key.key.reveal())
            body = file.body(context, frame.head, row - frame.base, ciphers[key.id])
            batch = _checked(plan, planned, row, body, before)
            before = bytes(plan.entries["leaf"][row])
            batches.append(batch)
            plan.found[row] = (batch.header.root, batch.header.previous, batch.salt, batch.header.previous != b"")
            yield body


def _checked(plan: Plan, planned: PlannedSegment, row: int, body: BatchBody, before: bytes) -> SealedBatch:
    """The batch, if it is the one that the journal's directory names."""
    entry = plan.entries[row]
    try:
        header = parse_header(body.header)
    except MalformedError:
        header = None
    if (
        header is None
        or (header.environment, header.stream, header.node) != (planned.environment, planned.stream, plan.node)
        or (header.first, header.count) != (int(entry["first"]), int(entry["count"]))
        or header.count != len(body.lengths)
        or (before and header.previous != before)
        or batch_leaf(body.salt, body.header) != bytes(entry["leaf"])
    ):
        raise VerificationError(
            "batch-differs",
            "a batch in the journal is not the one its directory names",
            object=journal_name(plan.frames[int(plan.frame_of[row])].number),
            line=int(entry["first"]),
        )
    return SealedBatch(header, body.salt, body.secret, int(entry["text_bytes"]), int(entry["clear_bytes"]))
