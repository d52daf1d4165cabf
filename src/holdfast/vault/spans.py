"""The unit of reading: some consecutive batches of one stream, day and node, decrypted and rendered together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from holdfast.kernel.instants import Instant

TARGET_BYTES = 2 << 20
"""Batches of a journal are read together up to this many bytes of text; a segment is read by its row groups."""


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `first` to `first + count - 1`; `begin` to `end` are their bytes of text, from their part's beginning.
    `low` to `high` (not included) are their batches."""

    first: int
    count: int
    begin: int
    end: int
    low: int
    high: int


class Part(Protocol):
    """Lines that lie in one place: a segment, or the journal. `size` is in bytes of text in the form asked for."""

    first: int
    count: int
    size: int
    arrival_min: Instant
    arrival_max: Instant

    def spans(self) -> Sequence[Span]:
        """All of it, in order. May open the place."""

    def since(self, instant: Instant) -> int:
        """The index of the first span that may hold a line that arrived at that instant or later."""

    def table(self, span: Span) -> pl.DataFrame:
        """The lines of a span (columns of records.SCHEMA, pseudonyms as they are kept)."""

    def close(self) -> None:
        """Let go of what `spans` and `table` opened; they may be called again."""
