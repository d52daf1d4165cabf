"""A whole log recomputed from its stored bytes: checkpoint → tiles → entries, and no object left unexplained.

Top down, because only the checkpoint is signed: the right edge of tiles must lead to its root; then every tile must
hash to its place in the tile above, and every entry to its place in the lowest tile. Where a tile does not, it is
computed from what lies below it, so that one changed byte names one object and what lies around it still holds. One
pass, in the order of the entries; memory holds a tile per level.

A writer may go on meanwhile: objects beyond the checkpoint are nobody's yet and are left alone.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.formats import tiles
from holdfast.formats.checkpoints import Checkpoint
from holdfast.formats.notes import NoteVerifier
from holdfast.formats.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile
from holdfast.kernel.errors import ConflictError, MalformedError, VerificationError
from holdfast.rules import merkle
from holdfast.vault.consulting import read_checkpoint, read_tile
from holdfast.vault.ports import Store

OnEntries = Callable[[int, Sequence[bytes | None]], None]
"""Called with the log index of the first of up to 256 entries, and the entries; None where one is damaged."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One object that is not what was committed, and the log entries `first` to `last` that it bears on (none if
    `last` < `first`)."""

    object: str
    code: str
    problem: str
    first: int = 0
    last: int = -1


@dataclass(frozen=True, slots=True)
class LogReport:
    """What was found. `checkpoint` is None if that itself is damaged; `entries` counts those proved to be under it."""

    origin: str
    checkpoint: Checkpoint | None
    entries: int
    damages: tuple[Damage, ...]

    @property
    def sound(self) -> bool:
        """Whether every byte is accounted for."""
        return not self.damages


def verify_log(store: Store, verifier: NoteVerifier, on_entries: OnEntries | None = None) -> LogReport:
    """Recompute a log. Damage is reported, not raised; entries are handed on in order as they are proved."""
    try:
        _note, checkpoint = read_checkpoint(store, verifier)
    except VerificationError as error:
        return LogReport(verifier.name, None, 0, (Damage(CHECKPOINT, error.code, error.message),))
    walk = _Walk(store, checkpoint, on_entries)
    walk.run()
    return LogReport(verifier.name, checkpoint, walk.proved, tuple(walk.damages))


class _Walk:
    def __init__(self, store: Store, checkpoint: Checkpoint, on_entries: OnEntries | None) -> None:
        self._store = store
        self._checkpoint = checkpoint
        self._size = checkpoint.size
        self._on_entries = on_entries
        self._lost = False
        self._partials: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.damages: list[Damage] = []
        self.proved = 0

    def run(self) -> None:
        self._list()
        for tile, hashes in self._edge():
            self._descend(tile, hashes)

    def _report(self, tile: Tile, code: str, problem: str) -> None:
        last = min(self._size, tile.first + (tile.width << (8 * max(tile.level, 0)))) - 1
        self.damages.append(Damage(tile.path(), code, problem, tile.first, last))

    def _list(self) -> None:
        """Note which earlier partial tiles lie about, and what is no part of a log."""
        for name in self._store.names():
            try:
                tile = tiles.parse_path(name)
            except MalformedError:
                if name != CHECKPOINT:
                    self.damages.append(Damage(name, "object-unknown", "no part of a log is called that"))
                continue
            held = tiles.hashes_at(tile.level, self._size) - tile.index * WIDTH
            if not tile.full and tile.width < min(held, WIDTH):
                self._partials[tile.level, tile.index].append(tile.width)

    def _stored(self, tile: Tile) -> tuple[list[bytes] | None, str, str]:
        try:
            return read_tile(self._store, tile), "tile-hashes", "a tile's hashes are not those committed"
        except VerificationError as error:
            return None, error.code, error.message

    def _below(self, tile: Tile) -> list[bytes] | None:
        """The tile's hashes computed from the objects one level down, or None if one of them does not read."""
        if tile.level == 0:
            entries = self._stored(Tile(ENTRIES, tile.index, tile.width))[0]
            return None if entries is None else merkle.leaf_hashes(entries)
        hashes: list[bytes] = []
        for index in range(tile.index * WIDTH, tile.index * WIDTH + tile.width):
            child = self._stored(Tile(tile.level - 1, index))[0]
            if child is None:
                return None
            hashes.append(merkle.root(child))
        return hashes

    def _edge(self) -> Iterator[tuple[Tile, list[bytes] | None]]:
        """The partial tiles at the right edge, highest first, with hashes that lead to the checkpoint if any do."""
        edge = tiles.frontier(self._size)
        stored = [self._stored(tile) for tile in edge]
        chosen = self._leading([[hashes] for hashes, _, _ in stored])
        if chosen is None:
            choices = [[hashes, self._below(tile)] for tile, (hashes, _, _) in zip(edge, stored, strict=True)]
            chosen = self._leading(choices)
        if chosen is None:
            self._lost = True  # Said once, not of every entry.
            self.damages.append(
                Damage(CHECKPOINT, "log-root", "the log's tiles do not lead to its checkpoint", 0, self._size - 1)
            )
        for at, (tile, (hashes, code, problem)) in enumerate(zip(edge, stored, strict=True)):
            trusted = chosen[at] if chosen is not None else None
            if hashes is None or (trusted is not None and trusted != hashes):
                self._report(tile, code, problem)
            yield tile, trusted

    def _leading(self, choices: Sequence[Sequence[list[bytes] | None]]) -> list[list[bytes]] | None:
        """The first choice of hashes per edge tile (highest first) whose root is the checkpoint's."""
        for choice in itertools.product(*choices):
            present = [hashes for hashes in choice if hashes is not None]
            if len(present) == len(choice) and merkle.edge_root(present[::-1]) == self._checkpoint.root:
                return present
        return None

    def _descend(self, tile: Tile, hashes: list[bytes] | None) -> None:
        """Check what lies below a tile whose true hashes are these (None: nothing vouches for any)."""
        self._check_partials(tile, hashes)
        if tile.level == 0:
            self._check_bundle(Tile(ENTRIES, tile.index, tile.width), hashes)
            return
        for row in range(tile.width):
            child = Tile(tile.level - 1, tile.index * WIDTH + row)
            self._descend(child, self._vouched(child, hashes[row] if hashes is not None else None))

    def _vouched(self, tile: Tile, expected: bytes | None) -> list[bytes] | None:
        """The true hashes of a full tile with this root: as stored, or computed from below; None if not known."""
        stored, code, problem = self._stored(tile)
        if stored is not None and (expected is None or merkle.root(stored) == expected):
            return stored if expected is not None else None
        self._report(tile, code, problem)
        computed = self._below(tile) if expected is not None else None
        return computed if computed is not None and merkle.root(computed) == expected else None

    def _check_bundle(self, tile: Tile, hashes: list[bytes] | None) -> None:
        entries, code, problem = self._stored(tile)
        shown: list[bytes | None] = [None] * tile.width
        if entries is None:
            self._report(tile, code, problem)
        elif hashes is None:
            if not self._lost:
                self._report(tile, "entries-unproved", "nothing intact leads from these entries to the checkpoint")
        else:
            leaves = merkle.leaf_hashes(entries)
            bad = [at for at in range(tile.width) if leaves[at] != hashes[at]]
            if bad:
                first, last = tile.first + bad[0], tile.first + bad[-1]
                problem = "a log entry is not the one committed"
                self.damages.append(Damage(tile.path(), "entries-changed", problem, first, last))
            shown = [entry if leaves[at] == hashes[at] else None for at, entry in enumerate(entries)]
            self._check_partials(tile, shown)
            self.proved += tile.width - len(bad)
        if self._on_entries is not None:
            self._on_entries(tile.first, shown)

    def _check_partials(self, tile: Tile, true: Sequence[bytes | None] | None) -> None:
        """Earlier, narrower versions of an object must be beginnings of it."""
        for width in self._partials.pop((tile.level, tile.index), ()):
            narrow = Tile(tile.level, tile.index, width)
            try:
                data = self._store.read(narrow.path())
            except ConflictError:
                continue  # Deleted since: the full one is there.
            known = None if true is None else [item for item in true[:width] if item is not None]
            encode = tiles.encode_bundle if tile.level == ENTRIES else tiles.encode_hashes
            if known is not None and len(known) == width and encode(known) != data:
                self._report(narrow, "tile-partial", "an earlier partial tile is not a beginning of the later one")
