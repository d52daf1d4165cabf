"""Lines of one stream, day and node that lie in a sealed segment."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import polars as pl

from holdfast.formats.segments import SegmentReader
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import Form, Installation
from holdfast.vault.readingports import ObjectStore, SealedSegment
from holdfast.vault.spans import Span


class SealedPart:
    """A segment, opened when its lines are first wanted. Satisfies `spans.Part`.

    A span is the batches that begin in one row group. Its last batch may end in the next one, so the last row group
    read is kept: read in order, each is decoded once.
    """

    def __init__(self, segment: SealedSegment, store: ObjectStore, installation: Installation, form: Form) -> None:
        entry = segment.entry
        self._segment = segment
        self._store = store
        self._installation = installation
        self._form = form
        self.first, self.count = entry.first, entry.count
        self.size = entry.clear_bytes if form is Form.CLEAR else entry.text_bytes
        self.arrival_min, self.arrival_max = entry.arrival_min, entry.arrival_max
        self._source: BinaryIO | None = None
        self._reader: SegmentReader | None = None
        self._spans: list[Span] = []
        self._groups: dict[int, pl.DataFrame] = {}

    def _opened(self) -> SegmentReader:
        if self._reader is None:
            entry = self._segment.entry
            self._source = self._store.open(entry.name)
            try:
                reader = SegmentReader(self._source, self._segment.key, self._installation, entry.name)
                batches = reader.batches
                ends = batches.clear_ends if self._form is Form.CLEAR else batches.text_ends
                if not len(ends) or (int(batches.firsts[0]), int(batches.counts.sum()), int(ends[-1])) != (
                    self.first,
                    self.count,
                    self.size,
                ):
                    raise VerificationError(
                        "segment-catalogue", "a segment is not what the catalogue says of it", object=entry.name
                    )
            except BaseException:
                self.close()
                raise
            self._reader = reader
        return self._reader

    def spans(self) -> Sequence[Span]:
        """All of it, in order."""
        if not self._spans:
            reader = self._opened()
            batches = reader.batches
            ends = batches.clear_ends if self._form is Form.CLEAR else batches.text_ends
            starts = np.array([group.first for group in reader.row_groups], np.int64)
            group = np.searchsorted(starts, batches.firsts, "right")
            lows = np.flatnonzero(np.diff(group, prepend=-1)).tolist()
            for low, high in zip(lows, [*lows[1:], len(batches)], strict=True):
                first = int(batches.firsts[low])
                last = int(batches.firsts[high - 1] + batches.counts[high - 1])
                begin = int(ends[low - 1]) if low else 0
                self._spans.append(Span(first, last - first, begin, int(ends[high - 1]), low, high))
        return self._spans

    def since(self, instant: Instant) -> int:
        """By the arrivals of the row groups' first lines, halving: arrivals never go back."""
        if instant <= self.arrival_min:
            return 0
        spans, low = self.spans(), 0
        high = len(spans)
        while low + 1 < high:
            middle = (low + high) // 2
            arrived = self._opened().table(spans[middle].first, 1, ("arrival",))["arrival"]
            low, high = (middle, high) if len(arrived) and int(arrived[0]) < instant else (low, middle)
        return low

    def table(self, span: Span) -> pl.DataFrame:
        """The lines of a span. VerificationError if the segment is not what was sealed."""
        reader = self._opened()
        parts = []
        for i, group in enumerate(reader.row_groups):
            begin, end = max(span.first, group.first), min(span.first + span.count, group.first + group.count)
            if begin < end:
                if i not in self._groups:
                    self._groups = {i: reader.read(i)}
                parts.append(self._groups[i].slice(begin - group.first, end - begin))
        table = pl.concat(parts)
        if table.height != span.count:
            raise VerificationError(
                "segment-catalogue",
                "a segment does not hold the lines its batches name",
                object=self._segment.entry.name,
            )
        return table

    def close(self) -> None:
        """Close the segment and forget what was decoded."""
        self._groups.clear()
        self._reader = None
        if self._source is not None:
            self._source.close()
            self._source = None
