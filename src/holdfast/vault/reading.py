"""What one person may read of one stream, as text with true sizes and as tables.

The lines of a (stream, day, node) lie in sealed segments, then in the journal; `Extents` puts them end to end as one
text that only grows. Sizes come from the catalogue and the journal's directories, without opening anything; bytes at
any offset from the batches that hold them, decrypted and rendered when asked for.

The answer of the keeper is a snapshot, and the vault goes on: a journal file may be sealed and deleted under a reader.
Then lines are missing here that a newer answer has in a segment: ConflictError, and the caller asks the keeper again.
A line that is in both for a moment is taken from the segment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from holdfast.kernel.errors import ConfigurationError, ConflictError
from holdfast.kernel.instants import Day
from holdfast.kernel.names import Form, Installation, KeyId, NodeName, Stream
from holdfast.kernel.secrets import Secret
from holdfast.vault.extents import Extents, Showing
from holdfast.vault.journalparts import JournalPart
from holdfast.vault.journalscanning import JournalBatches, JournalIndex
from holdfast.vault.keeping import Kept
from holdfast.vault.readingports import ObjectStore, Opening, SealedSegment
from holdfast.vault.sealedparts import SealedPart
from holdfast.vault.spans import Part

Reveal = Callable[[Stream, pl.DataFrame, Secret], pl.DataFrame]
"""The table with the addresses behind the pseudonyms of its day."""
Render = Callable[[Stream, pl.DataFrame], pa.LargeBinaryArray]
"""The lines as text, each with its LF."""
DayFile = tuple[Day, NodeName]
"""What a file of the reader's tree stands for: order of commitment is one per node."""


@dataclass(frozen=True, slots=True)
class Library:
    """Where things lie: stores of segments by `vendor-region`, journals by node; how lines are shown (rules.guard,
    rules.rendering); and what all readers together keep of them."""

    installation: Installation
    stores: Mapping[str, ObjectStore]
    journals: Mapping[NodeName, JournalIndex]
    reveal: Reveal
    render: Render
    kept: Kept


class Reading:
    """One answer of the keeper, and what lies in stores and journals. `refresh` sees what was written since."""

    def __init__(self, library: Library, stream: Stream, form: Form, opened: Opening) -> None:
        self._library = library
        self._stream = stream
        self._form = form
        self._pseudonyms = opened.pseudonyms
        self._segments: dict[DayFile, list[SealedSegment]] = {}
        for segment in sorted(opened.segments, key=lambda segment: segment.entry.first):
            self._segments.setdefault((segment.entry.day, segment.entry.node), []).append(segment)
        self._keys: dict[DayFile, dict[KeyId, Secret]] = {}
        for key in opened.journal:
            self._keys.setdefault((key.day, key.node), {})[key.id] = key.key
        self._batches: dict[DayFile, JournalBatches] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look at the journals again."""
        for index in self._library.journals.values():
            index.refresh()
        self._batches = {file: self._journal(file[1]).under(keys) for file, keys in self._keys.items()}

    def days(self) -> Sequence[DayFile]:
        """The days and nodes there are lines of, ascending; in clear only those whose addresses are still kept."""
        found = {*self._segments, *(file for file, batches in self._batches.items() if len(batches))}
        return sorted(file for file in found if self._form is not Form.CLEAR or file[0] in self._pseudonyms)

    def end(self, node: NodeName) -> int:
        """The number after the last line of a node."""
        return max((self.end_of(file) for file in {*self._segments, *self._batches} if file[1] == node), default=0)

    def end_of(self, file: DayFile) -> int:
        """The number after the last line of a day and node."""
        ends = [segment.entry.first + segment.entry.count for segment in self._segments.get(file, ())]
        batches = self._batches.get(file)
        if batches is not None and len(batches):
            ends.append(int(batches.rows["first"][-1] + batches.rows["count"][-1]))
        return max(ends, default=0)

    def closed_days(self) -> Sequence[Day]:
        """The days with lines whose addresses are no longer kept, if the clear form is asked for."""
        if self._form is not Form.CLEAR:
            return []
        return sorted({day for day, _ in (*self._segments, *self._keys) if day not in self._pseudonyms})

    def missing(self) -> frozenset[KeyId]:
        """Journal keys in hand whose lines are in no file: sealed in the meantime, or not written yet."""
        return frozenset(
            key for (_, node), keys in self._keys.items() for key in keys.keys() - self._journal(node).key_ids()
        )

    def strange(self) -> frozenset[KeyId]:
        """Keys of batches in these nodes' journals that are not in hand: other streams', or new ones of this one."""
        mine = {key for keys in self._keys.values() for key in keys}
        return frozenset(key for index in self._library.journals.values() for key in index.key_ids()) - mine

    def extents(self, day: Day, node: NodeName, *, whole: bool = True) -> Extents:
        """The lines of a day and node, one of `days()`. ConflictError `lines-moved` if there is a gap between them,
        unless `whole` is False: then what there is."""
        parts: list[Part] = []
        end: int | None = None
        for segment in self._segments.get((day, node), ()):
            entry = segment.entry
            if end is not None and entry.first < end:
                continue
            self._check(end, entry.first, whole)
            store = self._library.stores.get(segment.store)
            if store is None:
                raise ConfigurationError("store-unknown", "the gateway does not know this store", store=segment.store)
            parts.append(SealedPart(segment, store, self._library.installation, self._form))
            end = entry.first + entry.count
        batches = self._batches.get((day, node))
        if batches is not None:
            if end is not None:
                batches = batches.from_line(end)
            for run in batches.runs():
                self._check(end, int(run.rows["first"][0]), whole)
                context = f"{self._library.installation}/{node}".encode()
                part = JournalPart(self._journal(node), run, self._keys[day, node], context, self._form)
                end = part.first + part.count
                parts.append(part)
        if not parts:
            raise ConflictError("lines-moved", "lines moved while they were read; ask again")
        return Extents(day, node, parts, self._showing(day), self._library.kept)

    def _check(self, end: int | None, first: int, whole: bool) -> None:
        if whole and end is not None and first != end:
            raise ConflictError("lines-moved", "lines moved while they were read; ask again")

    def _showing(self, day: Day) -> Showing:
        stream, reveal, render = self._stream, self._library.reveal, self._library.render
        if self._form is Form.CLEAR:
            key = self._pseudonyms[day]
            return Showing(lambda table: reveal(stream, table, key), lambda table: render(stream, table))
        return Showing(lambda table: table, lambda table: render(stream, table))

    def _journal(self, node: NodeName) -> JournalIndex:
        index = self._library.journals.get(node)
        if index is None:
            raise ConfigurationError("journal-unknown", "the gateway does not know this node's journal", node=node)
        return index
