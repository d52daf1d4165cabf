"""One day of one stream on one node as one text: its parts end to end, read at any offset.

The text only grows: what stands at an offset stays there, whether its lines lie in the journal or in a segment by now.
Nothing is decrypted until it is read. At most one segment is open, and what was rendered is kept only as long as the
bound of all readers together allows, so memory does not grow with what is read. Any thread may read; one at a time
does.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl
import pyarrow as pa

from holdfast.formats.records import array_bytes
from holdfast.kernel.errors import ConflictError, VerificationError
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.names import NodeName
from holdfast.vault.keeping import Kept
from holdfast.vault.spans import Part, Span

_NEVER = Instant(0)
_TEXTS = 32


@dataclass(frozen=True, slots=True)
class Place:
    """A span of one of the parts."""

    part: int
    span: Span


@dataclass(frozen=True, slots=True)
class Showing:
    """How lines are shown: `reveal` puts addresses in the place of pseudonyms (or changes nothing), `render` makes text
    of a table, each line with its LF."""

    reveal: Callable[[pl.DataFrame], pl.DataFrame]
    render: Callable[[pl.DataFrame], pa.LargeBinaryArray]


class Extents:
    """The lines of one (stream, day, node) in one form. Close it when done."""

    def __init__(self, day: Day, node: NodeName, parts: Sequence[Part], showing: Showing, kept: Kept) -> None:
        """Parts ascend and do not overlap; there is at least one."""
        self.day, self.node = day, node
        self._parts = parts
        self._showing = showing
        self._starts = list(accumulate((part.size for part in parts), initial=0))
        self._kept = kept
        self._texts: dict[int, int] = {}
        """Where texts begin that may be kept, and how long they are; the newest last."""
        self._closed = False
        self._lock = threading.RLock()  # held while decoding
        self._texts_lock = threading.Lock()  # held for a moment

    @property
    def size(self) -> int:
        """Bytes of the whole text."""
        return self._starts[-1]

    @property
    def first(self) -> int:
        """The number of the first line."""
        return self._parts[0].first

    @property
    def end(self) -> int:
        """The number after the last line's."""
        return self._parts[-1].first + self._parts[-1].count

    @property
    def arrival_max(self) -> Instant:
        """When the last line arrived (or, in the journal, was made durable)."""
        return max((part.arrival_max for part in self._parts), default=_NEVER)

    def places(
        self,
        since: Instant | None = None,
        until: Instant | None = None,
        from_line: int | None = None,
        *,
        newest_first: bool = False,
    ) -> Iterator[Place]:
        """The spans that may hold lines that arrived from `since` on and before `until`, numbered `from_line` on."""
        order = range(len(self._parts))
        for i in reversed(order) if newest_first else order:
            part = self._parts[i]
            if (since is not None and part.arrival_max < since) or (until is not None and part.arrival_min >= until):
                continue
            if from_line is not None and part.first + part.count <= from_line:
                continue
            with self._lock:
                spans = list(part.spans())
                spans = spans[part.since(since) if since is not None else 0 :]
            if from_line is not None:
                spans = [span for span in spans if span.first + span.count > from_line]
            for span in reversed(spans) if newest_first else spans:
                yield Place(i, span)

    def table(self, place: Place) -> pl.DataFrame:
        """The lines of a span in their form: columns of records.SCHEMA, numbered from `place.span.first`."""
        with self._lock:
            if self._closed:
                raise ConflictError("lines-moved", "lines moved while they were read; ask again")
            self._close_others(place.part)
            return self._showing.reveal(self._parts[place.part].table(place.span))

    def render(self, table: pl.DataFrame) -> pa.LargeBinaryArray:
        """Lines of `table`, or some of them, as text."""
        lines = self._showing.render(table)
        return lines.combine_chunks() if isinstance(lines, pa.ChunkedArray) else lines

    def text(self, place: Place) -> bytes:
        """The rendered lines of a span. VerificationError if they are not as long as the batches say."""
        begin, length = self._starts[place.part] + place.span.begin, place.span.end - place.span.begin
        with self._lock:
            text = self._kept.get(self, begin)
            if not isinstance(text, bytes) or len(text) != length:
                text = array_bytes(self.render(self.table(place)))[0]
                if len(text) != length:
                    raise VerificationError("text-length", "rendered lines are not as long as their batches say")
                self._keep(begin, text)
            return text

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at an offset: all that are asked for, unless the text ends before."""
        parts: list[bytes] = []
        end = min(offset + length, self.size)
        while offset < end:
            with self._lock:
                place, begin = self._at(offset)
                text = self.text(place)
            piece = text[offset - begin : end - begin]
            parts.append(piece)
            offset += len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def ready(self, offset: int, length: int) -> bytes | None:
        """As `read`, if nothing has to be decrypted for it; else None. Does not wait for whoever is decrypting."""
        end = min(offset + length, self.size)
        with self._texts_lock:
            places = [begin for begin, size in self._texts.items() if begin <= offset < end <= begin + size]
        for begin in reversed(places):
            text = self._kept.get(self, begin)
            if isinstance(text, bytes) and end <= begin + len(text):
                return text[offset - begin : end - begin]
        return None

    def read_ahead(self, offset: int) -> int:
        """Render the span after the one at an offset, if there is one. Where that begins, or the text's size."""
        with self._lock:
            if self._closed or offset >= self.size:
                return self.size
            place, begin = self._at(offset)
            after = begin + place.span.end - place.span.begin
            if after < self.size:
                self.text(self._at(after)[0])
            return after

    def adopt(self, older: "Extents") -> None:
        """Take over what an older reading of the same day, node and form has rendered: offsets stay what they are."""
        with older._texts_lock:
            begins = list(older._texts)
        for begin in begins:
            text = self._kept.get(older, begin)
            if isinstance(text, bytes):
                self._keep(begin, text)

    def rest(self) -> None:
        """Nobody reads for now: close the open segment; what is rendered may stay."""
        with self._lock:
            self._close_others(-1)

    def close(self) -> None:
        """Let go of the open segment and of everything kept."""
        with self._lock:
            self._closed = True
            self._close_others(-1)
            with self._texts_lock:
                for begin in self._texts:
                    self._kept.drop(self, begin)
                self._texts.clear()

    def _close_others(self, kept: int) -> None:
        for i, part in enumerate(self._parts):
            if i != kept:
                part.close()

    def _keep(self, begin: int, text: bytes) -> None:
        with self._texts_lock:
            self._texts.pop(begin, None)
            self._texts[begin] = len(text)
            self._kept.put(self, begin, text, len(text))
            while len(self._texts) > _TEXTS:
                oldest = next(iter(self._texts))
                del self._texts[oldest]
                self._kept.drop(self, oldest)

    def _at(self, offset: int) -> tuple[Place, int]:
        """The span at an offset below `size`, and where it begins in the text."""
        i = bisect_right(self._starts, offset) - 1
        spans = self._parts[i].spans()
        j = bisect_right(spans, offset - self._starts[i], key=lambda span: span.begin) - 1
        return Place(i, spans[j]), self._starts[i] + spans[j].begin
