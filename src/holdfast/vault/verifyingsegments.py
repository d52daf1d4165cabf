"""One segment recomputed: bytes → lines → batch roots. Self-contained, so that several processes may share the work.

A segment that does not open is damaged as a whole; one that opens is read row group by row group, so that damage
inside names the batches it touches and the others are still proved. Memory holds a row group and the batch that runs
across its end.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import polars as pl
import pyarrow as pa

from holdfast.formats import records
from holdfast.formats.batchlists import SealedBatch
from holdfast.formats.segments import SegmentReader
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.names import Installation
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.batching import batch_roots
from holdfast.vault.findings import Finding


@dataclass(slots=True)
class SegmentCheck:
    """What one segment showed. `batches` are those whose headers read, in order; `proved` counts recomputed lines."""

    entry: SegmentEntry
    batches: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)
    proved: int = 0
    arrivals: list[Instant] = field(default_factory=list)
    """The earliest and latest of each row group."""
    findings: list[Finding] = field(default_factory=list)

    def found(self, code: str, says: str, first: int, last: int) -> None:
        """Note what does not hold."""
        entry = self.entry
        self.findings.append(
            Finding(code, says, entry.name, entry.node, entry.environment, entry.stream.value, first, last)
        )

    def found_whole(self, code: str, says: str) -> None:
        """Note what does not hold of all its lines."""
        self.found(code, says, self.entry.first, self.entry.first + self.entry.count - 1)


def check_segment(
    open_object: Callable[[str], BinaryIO], entry: SegmentEntry, key: bytes, installation: Installation
) -> SegmentCheck:
    """Recompute a segment from its stored bytes. Damage is reported, never raised."""
    check = SegmentCheck(entry)
    try:
        with open_object(entry.name) as source:
            digest = _sha256(source)
            reader = SegmentReader(source, Secret(key), installation, entry.name)
            _catalogued(check, reader)
            _headers(check, reader)
            _lines(check, reader)
            _times(check, reader)
    except HoldfastError as error:
        check.found_whole(error.code, error.message)
        return check
    except OSError:
        check.found_whole("segment-unreadable", "the segment's bytes cannot be read")
        return check
    if digest != entry.object_sha256 and not check.findings:
        check.found_whole("segment-bytes", "the segment is not, byte for byte, what was sealed")
    return check


def _catalogued(check: SegmentCheck, reader: SegmentReader) -> None:
    """What the catalogue says of a segment, and readers go by, is what the segment says itself."""
    entry, batches = check.entry, reader.batches
    lines = sum(group.count for group in reader.row_groups)
    sizes = (int(batches.text_ends[-1]), int(batches.clear_ends[-1])) if len(batches) else (0, 0)
    if (lines, *sizes) != (entry.count, entry.text_bytes, entry.clear_bytes):
        check.found_whole("segment-catalogue", "a segment is not what the catalogue says of it")


def _times(check: SegmentCheck, reader: SegmentReader) -> None:
    """The catalogue's times, by which readers leave segments out, are those of the lines, if all could be read."""
    entry, arrivals = check.entry, check.arrivals
    if len(arrivals) == 2 * len(reader.row_groups) > 0 and (min(arrivals), max(arrivals)) != (
        entry.arrival_min,
        entry.arrival_max,
    ):
        check.found_whole("segment-catalogue", "a segment is not what the catalogue says of it")


def _headers(check: SegmentCheck, reader: SegmentReader) -> None:
    entry, following = check.entry, check.entry.first
    for batch in reader.batches:
        header = batch.header
        check.batches.append((header.first, header.count, batch.leaf(), header.previous))
        if (header.environment, header.stream, header.node) != (entry.environment, entry.stream, entry.node):
            check.found("segment-place", "a batch is not of the place its segment is named for", *_range(batch))
        if header.first != following:
            check.found("numbering", "the numbering of lines has a gap", following, header.first)
        following = header.first + header.count


def _lines(check: SegmentCheck, reader: SegmentReader) -> None:
    waiting = list(reader.batches)[::-1]
    held: pa.LargeBinaryArray = pa.array([], pa.large_binary())
    first = check.entry.first
    for group in range(len(reader.row_groups)):
        rows = reader.row_groups[group]
        try:
            table = reader.read(group)
        except HoldfastError as error:
            check.found(error.code, error.message, rows.first, rows.first + rows.count - 1)
            held, first = held[:0], rows.first + rows.count
            while waiting and waiting[-1].header.first < first:
                waiting.pop()  # its lines are not all there: not proved, and said so above
            continue
        _days(check, table, rows.first)
        if not len(held):
            first = rows.first
        held = pa.concat_arrays([held, records.encode(table)])
        whole: list[SealedBatch] = []
        while waiting and waiting[-1].header.first + waiting[-1].header.count <= first + len(held):
            whole.append(waiting.pop())
        if whole:
            at = whole[0].header.first - first
            first = whole[-1].header.first + whole[-1].header.count
            lines = first - whole[0].header.first
            _prove(check, whole, held[at : at + lines])
            held = held[at + lines :]
    for batch in waiting:
        check.found("segment-lines", "a batch's lines are not all in its segment", *_range(batch))


def _prove(check: SegmentCheck, batches: list[SealedBatch], lines: pa.LargeBinaryArray) -> None:
    counts = [batch.header.count for batch in batches]
    if sum(counts) != len(lines):
        return  # the numbering has a gap, and has been reported
    roots = batch_roots([batch.secret for batch in batches], counts, lines)
    for batch, computed in zip(batches, roots, strict=True):
        if computed == batch.header.root:
            check.proved += batch.header.count
        else:
            check.found("batch-root", "the lines are not those that were committed", *_range(batch))


def _days(check: SegmentCheck, table: pl.DataFrame, first: int) -> None:
    arrival = table["arrival"].to_numpy()
    earliest, latest = Instant(int(arrival.min())), Instant(int(arrival.max()))
    check.arrivals += [earliest, latest]
    if day_of(earliest) != check.entry.day or day_of(latest) != check.entry.day:
        check.found("segment-day", "lines of another day are in the segment", first, first + table.height - 1)


def _range(batch: SealedBatch) -> tuple[int, int]:
    return batch.header.first, batch.header.first + batch.header.count - 1


def _sha256(source: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
