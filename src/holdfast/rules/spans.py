"""Addresses as found: spans in the bytes of many lines laid end to end."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.formats.scanning import Bytes, Mask, Offsets

_OUTSIDE = 0x0A
"""What a byte beyond the row counts as: nothing that could be part of an address or a word."""

WORD = np.zeros(256, np.bool_)
WORD[[*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B), 0x5F]] = True
HEX = np.zeros(256, np.bool_)
HEX[[*range(0x30, 0x3A), *range(0x41, 0x47), *range(0x61, 0x67)]] = True


@dataclass(frozen=True, slots=True)
class Spans:
    """Addresses found, ascending: span i is `buffer[starts[i]:ends[i]]` in row `rows[i]`; `addresses` has its 16 bytes
    (IPv4-mapped for a dotted quad), `dotted` whether it is written as a dotted quad."""

    starts: Offsets
    ends: Offsets
    rows: Offsets
    addresses: npt.NDArray[np.uint8]
    dotted: Mask

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, which: Offsets | Mask) -> "Spans":
        """Some of them."""
        return Spans(self.starts[which], self.ends[which], self.rows[which], self.addresses[which], self.dotted[which])


@dataclass(frozen=True, slots=True)
class Text:
    """Rows end to end: row i is `data[offsets[i]:offsets[i + 1]]`; `buffer` is the same bytes as numbers."""

    data: bytes
    buffer: Bytes
    offsets: Offsets

    def rows(self, positions: Offsets) -> Offsets:
        """The row each position (ascending) lies in."""
        return np.searchsorted(self.offsets, positions, side="right") - 1

    def byte(self, positions: Offsets, rows: Offsets) -> Bytes:
        """The byte at each position, `_OUTSIDE` if that is not in its row."""
        inside = (positions >= self.offsets[rows]) & (positions < self.offsets[rows + 1])
        return np.where(inside, self.buffer.take(positions, mode="clip"), np.uint8(_OUTSIDE))

    def ends_well(self, positions: Offsets, rows: Offsets) -> Mask:
        """Whether an address may end before each position: no word byte there, and no dot but a sentence dot."""
        here, next_ = self.byte(positions, rows), self.byte(positions + 1, rows)
        return np.asarray(~WORD[here] & ~((here == 0x2E) & WORD[next_]))


NONE = Spans(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros((0, 16), np.uint8),
    np.zeros(0, np.bool_),
)


def merge(one: Spans, two: Spans) -> Spans:
    """Both, ascending (they do not overlap)."""
    order = np.argsort(np.concatenate((one.starts, two.starts)), kind="stable")
    return Spans(
        np.concatenate((one.starts, two.starts))[order],
        np.concatenate((one.ends, two.ends))[order],
        np.concatenate((one.rows, two.rows))[order],
        np.concatenate((one.addresses, two.addresses))[order],
        np.concatenate((one.dotted, two.dotted))[order],
    )
