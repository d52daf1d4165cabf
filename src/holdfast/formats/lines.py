"""Raw lines between a listener and a parser: spans into one buffer, so that a batch of lines is never taken apart."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """Line i is `buffer[starts[i]:ends[i]]`. Spans ascend and do not overlap; what lies between them is no line."""

    buffer: bytes
    starts: Offsets
    ends: Offsets

    def __len__(self) -> int:
        return len(self.starts)

    def tolist(self) -> list[bytes]:
        """The lines one by one (for tests and slow paths)."""
        return [self.buffer[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]


def split(buffer: bytes) -> Lines:
    """The LF-terminated lines of a buffer; a last line without LF counts as a line. Line ends are not part of it."""
    ends = np.flatnonzero(np.frombuffer(buffer, np.uint8) == 0x0A).astype(np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
    if len(starts) and starts[-1] >= len(buffer):
        starts = starts[:-1]
    else:
        ends = np.append(ends, len(buffer))
    return Lines(buffer, starts, ends)


def join(parts: list[Lines]) -> Lines:
    """All lines of several, in order, over one buffer."""
    if len(parts) == 1:
        return parts[0]
    bases = np.cumsum([0] + [len(part.buffer) for part in parts])
    return Lines(
        b"".join(part.buffer for part in parts),
        np.concatenate(
            [part.starts + base for part, base in zip(parts, bases, strict=False)] or [np.zeros(0, np.int64)]
        ),
        np.concatenate([part.ends + base for part, base in zip(parts, bases, strict=False)] or [np.zeros(0, np.int64)]),
    )
