"""Bytes of a syslog connection → frames (RFC 6587): octet counting and LF framing, told apart at every frame.

Two halves: `receive` only keeps bytes, `take` judges them. A frame that begins `<digits> <` is octet-counted, any
other ends at LF (one CR before it is part of the line end; so is a line end that a sender counts in, as rsyslog's own
template does). Empty frames are skipped; NUL bytes are kept; nothing else is lost:

* A count that lies is not believed: when what follows the frame cannot begin one, or a frame too long to wait for holds
  the beginning of another line, the frame is read to its LF instead.
* A frame longer than `max_frame` is cut into pieces, not inside an address if that can be helped. Pieces after the
  first get the first one's header, so that they are lines of the same sender (pieces after the first may so be up to
  1 KiB longer).
* `close` gives what has come of an unfinished frame.

A connection that says nothing costs one small object; one that never ends a frame, at most `max_frame` bytes and what
one `receive` brought.
"""

import re

import numpy as np

from holdfast.formats.lines import Lines, Offsets

MAX_FRAME = 65_536
_LARGEST_COUNT = 1 << 24
_LONGEST_HEADER = 1024
_BACK = 128
_CHUNKS = 64

_COUNT = re.compile(rb"([1-9][0-9]{0,8}) (?=<)")
_COUNT_BEGUN = re.compile(rb"[1-9][0-9]{0,8} ?\Z")
_ANOTHER_LINE = re.compile(rb"\n(?:[1-9][0-9]{0,8} )?<[0-9]{1,3}>")
_TIME = (
    rb"(?:[A-Z][a-z]{2} [ 0-9]?[0-9] (?:[0-9]{4} )?[0-9:.]{8,18}"
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]{5}))"
)
_HEADER = re.compile(
    rb"(<[0-9]{1,3}>1 [^ \n]+ [^ \n]+ [^ \n]+ [^ \n]+ [^ \n]+ )(?:-|\[)"
    rb"|((?:<[0-9]{1,3}>)?" + _TIME + rb" (?:[^ \n:\[]+ )?[^ \n:\[]+(?:\[[^ \n\]]*\])?: )"
    rb"|((?:<[0-9]{1,3}>)?" + _TIME + rb" [^ \n]+ )"
    rb"|(<[0-9]{1,3}>)"
)
_BEGINNINGS = frozenset(b"<\n\r\x00123456789")
"""What may follow an octet-counted frame: the next one, counted or not, or a line end that some senders add."""
_ADDRESS_BYTES = frozenset(b"0123456789abcdefABCDEF:.")


class Framer:
    """The frames of one connection."""

    __slots__ = ("_header", "_left", "_max_frame", "_size", "_waiting")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._waiting: list[bytes] | None = None
        self._size = 0
        # While a frame is being delivered in pieces: the header of its pieces, and how many bytes of it are still to
        # come (-1: up to LF).
        self._header: bytes | None = None
        self._left = 0

    def receive(self, data: bytes) -> None:
        """Keep what came; nothing is judged."""
        if data:
            if self._waiting is None:
                self._waiting = []
            elif len(self._waiting) >= _CHUNKS:  # a sender that dribbles: many small objects cost more than their bytes
                self._waiting = [b"".join(self._waiting)]
            self._waiting.append(data)
            self._size += len(data)

    @property
    def waiting(self) -> int:
        """Bytes of unfinished frames at hand."""
        return self._size

    def take(self) -> Lines | None:
        """The frames that are complete, in order; None if there are none."""
        if self._waiting is None:
            return None
        if len(self._waiting) > 1 and self._header is None and self._size < self._max_frame and not self._ended():
            return None
        return self._frames(last=False)

    def close(self) -> Lines | None:
        """What is left when the sender has gone: an unfinished frame counts as it stands."""
        return None if self._waiting is None else self._frames(last=True)

    def _ended(self) -> bool:
        """Whether the newest bytes may complete a frame that the ones before did not."""
        assert self._waiting is not None
        first = self._waiting[0]
        return b"\n" in self._waiting[-1] or first[:1].isdigit() or not first

    def _frames(self, last: bool) -> Lines | None:
        assert self._waiting is not None
        buffer = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        judged = _Judging(buffer, self._max_frame, self._header, self._left, last)
        judged.run()
        self._header, self._left = judged.header, judged.left
        rest = buffer[judged.at :]
        self._waiting, self._size = ([rest], len(rest)) if rest else (None, 0)
        return judged.lines()


class _Judging:
    """One pass over the bytes at hand: from `at` on nothing has been delivered."""

    def __init__(self, buffer: bytes, max_frame: int, header: bytes | None, left: int, last: bool) -> None:
        self.buffer, self.at, self.header, self.left = buffer, 0, header, left
        self._max, self._last = max_frame, last
        self._spans: list[tuple[Offsets, Offsets]] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._pieces: dict[int, bytes] = {}
        self._newlines: Offsets | None = None

    def run(self) -> None:
        """Judge frame after frame until one is not complete."""
        while self.at < len(self.buffer):
            before = self.at, self.left, self.header
            if self.header is not None:
                self._go_on()
            elif not self._counted():
                self._terminated()
            if (self.at, self.left, self.header) == before:
                return

    def _counted(self) -> bool:
        """Deliver octet-counted frames, or wait for one (True); or say that there is none (False)."""
        buffer, size, limit, at = self.buffer, len(self.buffer), self._max, self.at
        starts, ends = self._starts, self._ends
        while (found := _COUNT.match(buffer, at)) is not None:
            start, end = found.end(), found.end() + int(found[1])
            if end >= size or end - start > limit or buffer[end] not in _BEGINNINGS:
                break
            starts.append(start)
            ends.append(self._line_end(start, end))
            at = end
        moved, self.at = at > self.at, at
        if found is not None:
            return self._odd_count(found.end(), found.end() + int(found[1])) or moved
        # The count itself may not be here yet.
        return moved or (not self._last and _COUNT_BEGUN.match(buffer, at) is not None)

    def _odd_count(self, start: int, end: int) -> bool:
        """The same for a frame at the end of what is here, one too long to wait for, or a lying count."""
        size = len(self.buffer)
        fits, here = end - start <= self._max, end <= size
        if fits and here:
            if end < size:
                self.at = start  # the count lies: the line is what stands up to its LF
                return False
            self._deliver(start, self._line_end(start, end))
            self.at = end
            return True
        swallows = _ANOTHER_LINE.search(self.buffer, start, min(end, start + self._max)) is not None
        if end - start > _LARGEST_COUNT or (swallows and (not fits or self._last)):
            self.at = start
            return False
        if not fits and size - start >= self._max:
            self._begin_pieces(start, end - start)
        elif self._last:
            self._deliver(start, self._line_end(start, min(end, size)))
            self.at = min(end, size)
        return True

    def _line_end(self, start: int, end: int) -> int:
        """Where a counted frame ends without the line end that rsyslog's own template counts in."""
        if end > start and self.buffer[end - 1] == 0x0A:
            end -= 1
            if end > start and self.buffer[end - 1] == 0x0D:
                end -= 1
        return end

    def _terminated(self) -> None:
        """Deliver LF-terminated frames up to the next octet-counted one, or the beginning of one too long to wait
        for."""
        if self._newlines is None:
            self._newlines = np.flatnonzero(np.frombuffer(self.buffer, np.uint8) == 0x0A).astype(np.int64)
        first = int(np.searchsorted(self._newlines, self.at))
        ends = self._newlines[first:]
        if len(ends):
            starts = np.concatenate((np.array([self.at], np.int64), ends[:-1] + 1))
            stop = len(ends)
            heads = np.frombuffer(self.buffer, np.uint8)[starts[1:]]
            for index in (np.flatnonzero((heads >= 0x31) & (heads <= 0x39)) + 1).tolist():
                if _COUNT.match(self.buffer, int(starts[index])):
                    stop = index
                    break
            starts, ends = starts[:stop], ends[:stop]
            long_ = np.flatnonzero(ends - starts > self._max)
            if len(long_):
                stop = int(long_[0])
                self._add(starts[:stop], ends[:stop])
                self._begin_pieces(int(starts[stop]), -1)
                return
            self._add(starts, ends)
            self.at = int(ends[-1]) + 1
        elif len(self.buffer) - self.at > self._max:
            self._begin_pieces(self.at, -1)
        elif self._last:
            self._add(np.array([self.at]), np.array([len(self.buffer)]))
            self.at = len(self.buffer)

    def _begin_pieces(self, start: int, left: int) -> None:
        found = _HEADER.match(self.buffer, start, start + _LONGEST_HEADER)
        header = b""
        if found is not None:
            header = found[1] + b"- " if found[1] else found[0]
        cut = self._cut(start)
        self._deliver(start, cut)
        self.at, self.header = cut, header
        self.left = left - (cut - start) if left >= 0 else -1

    def _go_on(self) -> None:
        """Deliver the next piece of a frame that was too long to wait for."""
        assert self.header is not None
        start, size = self.at, len(self.buffer)
        if self.left >= 0:
            end, after = start + self.left, start + self.left
        else:
            end = self.buffer.find(b"\n", start)
            after = end + 1
            if end < 0:
                end = after = size if self._last else size + self._max
        if end > size and self._last:
            end = after = size
        if end - start > self._max and size - start >= self._max:
            cut = self._cut(start)
            self._piece(start, cut)
            self.at, self.left = cut, self.left - (cut - start) if self.left >= 0 else -1
        elif end <= size:
            carriage = self.left < 0 and end > start and self.buffer[end - 1] == 0x0D
            self._piece(start, end - carriage)
            self.at, self.left, self.header = after, 0, None

    def _cut(self, start: int) -> int:
        """Where to end a piece: after `max_frame` bytes, or a little before, outside anything like an address."""
        end = start + self._max
        for back in range(min(_BACK, self._max // 2)):
            if self.buffer[end - 1 - back] not in _ADDRESS_BYTES:
                return end - back
        return end

    def _piece(self, start: int, end: int) -> None:
        if end > start:
            self._flush()
            self._pieces[len(self._spans)] = (self.header or b"") + self.buffer[start:end]
            self._spans.append((np.array([start], np.int64), np.array([end], np.int64)))

    def _deliver(self, start: int, end: int) -> None:
        if end > start:
            self._starts.append(start)
            self._ends.append(end)

    def _flush(self) -> None:
        if self._starts:
            self._spans.append((np.array(self._starts, np.int64), np.array(self._ends, np.int64)))
            self._starts, self._ends = [], []

    def _add(self, starts: Offsets, ends: Offsets) -> None:
        """LF-terminated frames, without a CR at their end and without the empty ones."""
        view = np.frombuffer(self.buffer, np.uint8)
        ends = ends - ((ends > starts) & (view.take(ends - 1, mode="clip") == 0x0D))
        some = ends > starts
        self._flush()
        if some.any():
            self._spans.append((starts[some], ends[some]))

    def lines(self) -> Lines | None:
        """What was delivered. Pieces that got a header have to be copied: then all lines are, into a buffer of their
        own."""
        self._flush()
        if not self._spans:
            return None
        if not self._pieces:
            starts, ends = (np.concatenate([span[side] for span in self._spans]) for side in (0, 1))
            return Lines(self.buffer, starts, ends)
        parts: list[bytes] = []
        for index, (starts, ends) in enumerate(self._spans):
            if index in self._pieces:
                parts.append(self._pieces[index])
            else:
                parts.extend(self.buffer[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
        bounds = np.cumsum([0] + [len(part) for part in parts])
        return Lines(b"".join(parts), bounds[:-1], bounds[1:])
