"""Tiles and entry bundles (c2sp.org/tlog-tiles): what a log's objects are called, hold, and which ones a size has.

    tile/<level>/<index>[.p/<width>]       width × 32 bytes: hashes of subtrees of 256^level leaves
    tile/entries/<index>[.p/<width>]       entries, each behind its length as a big-endian uint16

An index is written in groups of three digits, all but the last behind an `x`: 1234067 is `x001/x234/067`. Full ones are
256 wide; one partial one per kind, at the right edge, may stand under `.p/<width>`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.kernel.errors import MalformedError

WIDTH = 256
HASH = 32
ENTRY_LIMIT = 65_535
CHECKPOINT = "checkpoint"
"""The one object of a log that is replaced."""
ENTRIES = -1
"""The level of entry bundles, as Go's sumdb/tlog has it."""
LEVELS = 8
"""Levels 0 to 7 hold any tree under 2^63."""

_PATH = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One object of a log: `width` hashes of a level, or entries (level ENTRIES), from `index` × 256 on."""

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """Its name in the store."""
        rest, last = divmod(self.index, 1000)
        groups = [f"{last:03d}"]
        while rest:
            rest, group = divmod(rest, 1000)
            groups.append(f"x{group:03d}")
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"

    @property
    def full(self) -> bool:
        """Whether it will never grow."""
        return self.width == WIDTH

    @property
    def first(self) -> int:
        """The first log index beneath it."""
        return self.index << (8 * (max(self.level, 0) + 1))


def parse_path(path: str) -> Tile:
    """The tile that an object is named after. MalformedError if no tile is called that."""
    found = _PATH.match(path)
    if found:
        level = ENTRIES if found[1] == "entries" else int(found[1])
        index = int(found[2].replace("x", "").replace("/", "") + found[3])
        tile = Tile(level, index, int(found[4] or WIDTH))
        if tile.path() == path and tile.width <= WIDTH and (found[4] is None or tile.width < WIDTH):
            return tile
    raise MalformedError("tile-path", "no tile is called that")


def hashes_at(level: int, size: int) -> int:
    """How many hashes (or entries) a tree of `size` leaves has at a level."""
    return size >> (8 * max(level, 0))


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile as a tree of `size` leaves has it: full, or partial at the right edge. MalformedError if it has none."""
    width = min(WIDTH, hashes_at(level, size) - index * WIDTH)
    if index < 0 or width < 1:
        raise MalformedError("tile-range", "a log of that size has no such tile", level=level, index=index, size=size)
    return Tile(level, index, width)


def frontier(size: int) -> list[Tile]:
    """The partial tiles of hashes at the right edge of a tree of `size` leaves, the highest level first."""
    partial = [Tile(level, hashes_at(level, size) // WIDTH, hashes_at(level, size) % WIDTH) for level in range(LEVELS)]
    return [tile for tile in reversed(partial) if tile.width]


def new_tiles(level: int, old: int, size: int) -> Iterator[Tile]:
    """The tiles of a level that a log writes when it grows from `old` to `size` entries, in order."""
    before, after = hashes_at(level, old), hashes_at(level, size)
    if before < after:
        for index in range(before // WIDTH, (after - 1) // WIDTH + 1):
            yield tile_at(level, index, size)


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """A tile's bytes."""
    return b"".join(hashes)


def parse_hashes(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile `width` wide. MalformedError if it has another length."""
    if len(data) != width * HASH:
        raise MalformedError("tile-length", "a tile has the wrong length", expected=width * HASH, length=len(data))
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle's bytes. MalformedError for an entry over 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > ENTRY_LIMIT:
            raise MalformedError("entry-length", "a log entry is too long", limit=ENTRY_LIMIT, length=len(entry))
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle. MalformedError if their lengths do not add up to just that."""
    entries: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(entries) < width:
        length = int.from_bytes(data[at : at + 2], "big")
        at += 2 + length
        entries.append(data[at - length : at])
    if at != len(data) or len(entries) != width:
        raise MalformedError("bundle-length", "an entry bundle does not add up", expected=width, entries=len(entries))
    return entries
