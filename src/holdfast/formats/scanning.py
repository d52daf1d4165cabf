"""Where bytes stand in a big buffer, and windows of it: the two moves all vectorised parsers here are made of."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_CHUNK = 1 << 17
"""Bytes looked at at once: what is computed of them stays in the processor's cache."""


def view(buffer: bytes) -> Bytes:
    """The buffer as numbers, never empty (so that `take(mode="clip")` always has a byte to give)."""
    return np.frombuffer(buffer or b"\0", np.uint8)


def positions(buffer: Bytes, byte: int) -> Offsets:
    """Where a byte stands, ascending."""
    found = [np.flatnonzero(buffer[base : base + _CHUNK] == byte) + base for base in range(0, len(buffer), _CHUNK)]
    return np.concatenate(found).astype(np.int64, copy=False) if found else np.zeros(0, np.int64)


def positions_of(buffer: Bytes, wanted: Mask) -> Offsets:
    """Where any of some bytes stands (a mask of 256), ascending."""
    found = [np.flatnonzero(wanted[buffer[base : base + _CHUNK]]) + base for base in range(0, len(buffer), _CHUNK)]
    return np.concatenate(found).astype(np.int64, copy=False) if found else np.zeros(0, np.int64)


def dots_between_digits(buffer: Bytes) -> Offsets:
    """Where a dot stands between two decimal digits, ascending."""
    found = []
    for base in range(0, len(buffer), _CHUNK):
        part = buffer[base : base + _CHUNK + 2]
        digit = (part - np.uint8(48)) < 10
        found.append(np.flatnonzero((part[1:-1] == 0x2E) & digit[:-2] & digit[2:]) + (base + 1))
    return np.concatenate(found).astype(np.int64, copy=False) if found else np.zeros(0, np.int64)


def columns(buffer: Bytes, starts: Offsets, width: int) -> Bytes:
    """The `width` bytes from each start on (ascending, none negative), NUL past the buffer's end, turned: shape
    (width, starts), so that each row is one column of the text, contiguous."""
    rows = np.empty((len(starts), width), np.uint8)
    last = len(buffer) - width
    inside = int(np.searchsorted(starts, last, side="right")) if last >= 0 else 0
    if inside:
        grid: npt.NDArray[np.void] = np.ndarray((last + 1,), f"V{width}", np.ascontiguousarray(buffer), strides=(1,))
        rows[:inside] = grid[starts[:inside]].view(np.uint8).reshape(-1, width)
    if inside < len(starts):
        base = max(last, 0)
        tail = np.zeros(3 * width, np.uint8)
        tail[: len(buffer) - base] = buffer[base:]
        offsets = np.minimum(starts[inside:] - base, 2 * width)
        rows[inside:] = tail[offsets[:, None] + np.arange(width)]
    return np.ascontiguousarray(rows.T)
