"""Lines of one stream, day and node that lie in the node's journal."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import records
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import Form, KeyId
from holdfast.kernel.secrets import Secret
from holdfast.vault.journalscanning import JournalBatches, JournalIndex
from holdfast.vault.spans import TARGET_BYTES, Span


class JournalPart:
    """Batches whose numbers follow each other. Satisfies `spans.Part`."""

    def __init__(
        self, index: JournalIndex, batches: JournalBatches, keys: Mapping[KeyId, Secret], context: bytes, form: Form
    ) -> None:
        """`context` is `<installation>/<node>`, which every ciphertext is bound to."""
        self._index = index
        self._batches = batches
        self._keys = keys
        self._context = context
        rows = batches.rows
        name = "clear_bytes" if form is Form.CLEAR else "text_bytes"
        self._ends = np.cumsum(rows[name].astype(np.int64))
        self.first = int(rows["first"][0])
        self.count = int(rows["count"].sum())
        self.size = int(self._ends[-1])
        self.arrival_min = Instant(int(rows["arrival"][0]))
        self.arrival_max = Instant(int(batches.frames["time"][-1]))
        self._spans: list[Span] = []

    def spans(self) -> Sequence[Span]:
        """All of it, in order."""
        low, count = 0 if not self._spans else len(self._batches), len(self._batches)
        while low < count:
            begin = int(self._ends[low - 1]) if low else 0
            high = max(low + 1, int(np.searchsorted(self._ends, begin + TARGET_BYTES, "right")))
            rows = self._batches.rows[low:high]
            self._spans.append(
                Span(int(rows["first"][0]), int(rows["count"].sum()), begin, int(self._ends[high - 1]), low, high)
            )
            low = high
        return self._spans

    def since(self, instant: Instant) -> int:
        """Arrivals never go back on a node, so what lies before a batch arrived no later than its first line."""
        arrivals = self._batches.rows["arrival"]
        spans = self.spans()
        at = 0
        while at + 1 < len(spans) and int(arrivals[spans[at + 1].low]) < instant:
            at += 1
        return at

    def table(self, span: Span) -> pl.DataFrame:
        """The lines of a span. ConflictError `journal-missing` if a file was sealed and deleted in the meantime."""
        tables: list[pl.DataFrame] = []
        low = span.low
        while low < span.high:
            number = int(self._batches.frames["number"][low])
            with self._index.open(number) as source:
                while low < span.high and int(self._batches.frames["number"][low]) == number:
                    key = KeyId(bytes(self._batches.rows["key"][low]).hex())
                    body = self._batches.body(low, source, self._context, AESGCM(self._keys[key].reveal()))
                    tables.append(records.decode(bytes(body.records), body.lengths))
                    low += 1
        return pl.concat(tables)

    def close(self) -> None:
        """Nothing stays open."""
