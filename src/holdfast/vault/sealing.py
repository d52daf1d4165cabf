"""Closed journal files become sealed segments and the ledger, and their keys are destroyed.

Order, and each step durable before the next:

1. one segment (or several, cut between batches) per environment, stream and day, under a fresh key;
2. each is opened again with its key and compared line by line with what the journal holds;
3. the ledger objects of every journal file;
4. `KeySource.sealed`: segments into the catalogue and the files' journal keys destroyed, in one transaction. This is
   the one write that makes it true; where it would be too much for one, fewer files are sealed at once;
5. the journal files are deleted.

A crash before 4 leaves objects no catalogue knows: as long as the keeper opens the journal keys of a stream, any object
under the name of its segment is such a leftover, and is deleted and written again. A ledger object says the same each
time and is left alone. A crash after 4 leaves files whose keys are gone: they are deleted. Doing it again is always
right, and nothing is lost or doubled. One thread seals for a node.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.kernel.keys import DataKey, KeyKind, KeyRequest
from holdfast.kernel.names import Installation, NodeName
from holdfast.kernel.segments import SegmentEntry
from holdfast.vault.ports import JournalStore, KeySource, Store
from holdfast.vault.sealingledgers import require_ledger, write_ledger
from holdfast.vault.sealingplans import DEFAULT_LIMITS, Limits, PlannedSegment, plan
from holdfast.vault.sealingsegments import seal_segment


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sealing is: segments and lines done, of how many."""

    segments: int
    all_segments: int
    lines: int
    all_lines: int


def _silent(_: Progress) -> None:
    """For those who do not watch."""


def seal(
    journal: JournalStore,
    numbers: Sequence[int],
    keys: KeySource,
    store: Store,
    ledger: Store,
    installation: Installation,
    node: NodeName,
    *,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[Progress], None] = _silent,
) -> Sequence[SegmentEntry]:
    """The segments that the closed journal files of these numbers (consecutive) became.

    VerificationError if the journal or what was written does not hold (nothing is destroyed then), BusyError from the
    store or the keeper (try again later).
    """
    sealing = plan(journal, numbers, keys, node, limits)
    if len(numbers) > 1 and (len(sealing.segments) > limits.segments or len(sealing.keys) > limits.keys):
        # Too much for one transaction, and a part of it would be destroyed alone: fewer files, each part by itself.
        middle, done = len(numbers) // 2, list[SegmentEntry]()
        for part in (numbers[:middle], numbers[middle:]):
            done += seal(journal, part, keys, store, ledger, installation, node, limits=limits, progress=progress)
        return done
    for number in numbers:
        if number not in sealing.numbers:
            require_ledger(sealing.flushes(number), ledger)
    entries: list[SegmentEntry] = []
    lines = 0
    for planned, data_key in zip(sealing.segments, _segment_keys(sealing.segments, keys), strict=True):
        progress(Progress(len(entries), len(sealing.segments), lines, sealing.lines))
        entries.append(seal_segment(sealing, planned, data_key, journal, store, installation))
        lines += planned.lines
    for number in sealing.numbers:
        write_ledger(sealing, sealing.flushes(number), ledger)
    if sealing.keys:
        keys.sealed(entries, sealing.keys)
    for number in numbers:
        journal.delete(number)
    progress(Progress(len(entries), len(entries), lines, lines))
    return entries


def _segment_keys(segments: Sequence[PlannedSegment], keys: KeySource) -> Sequence[DataKey]:
    """A fresh key for each."""
    return keys.make_keys([KeyRequest(KeyKind.SEGMENT, s.environment, s.stream, s.day) for s in segments])
