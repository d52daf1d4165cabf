"""A log read from its tiles: entries, inclusion and consistency proofs, beside a writer that goes on writing.

`TiledTree` reads a tree of a given size and believes what it reads. `LogReader` takes that size from a checkpoint whose
signature it has checked, and believes no entry that its tiles do not lead to that checkpoint's root. Both read only
objects that a log of that size is bound to keep: a partial tile goes away only once the full one is there.
"""

from holdfast.formats import tiles
from holdfast.formats.checkpoints import Checkpoint, open_checkpoint
from holdfast.formats.notes import NoteVerifier
from holdfast.formats.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile
from holdfast.kernel.errors import ConflictError, MalformedError, VerificationError
from holdfast.rules import merkle
from holdfast.vault.ports import Store

_KEPT = 64


def read_tile(store: Store, tile: Tile) -> list[bytes]:
    """The hashes of a tile, or the entries of a bundle: from the full one where the partial one is gone already.

    VerificationError `tile-missing` or `tile-damaged`, naming the object.
    """
    data, width = _read(store, tile)
    try:
        found = tiles.parse_bundle(data, width) if tile.level == ENTRIES else tiles.parse_hashes(data, width)
    except MalformedError:
        raise VerificationError("tile-damaged", "an object of a log has the wrong length", object=tile.path()) from None
    return found[: tile.width]


def _read(store: Store, tile: Tile) -> tuple[bytes, int]:
    wanted = (tile,) if tile.full else (tile, Tile(tile.level, tile.index))
    for candidate in wanted:
        try:
            return store.read(candidate.path()), candidate.width
        except ConflictError:
            continue
    raise VerificationError("tile-missing", "an object of a log is missing", object=tile.path())


class TiledTree:
    """The tree over the first `size` entries of the log in a store."""

    def __init__(self, store: Store, size: int) -> None:
        self._store = store
        self._size = size
        self._kept: dict[Tile, list[bytes]] = {}

    @property
    def size(self) -> int:
        """Entries in this tree."""
        return self._size

    def _tile(self, level: int, index: int) -> list[bytes]:
        tile = tiles.tile_at(level, index, self._size)
        found = self._kept.get(tile)
        if found is None:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            found = self._kept[tile] = read_tile(self._store, tile)
        return found

    def entry(self, index: int) -> bytes:
        """The entry at a log index. MalformedError outside the tree, VerificationError if its bundle is damaged."""
        if not 0 <= index < self._size:
            raise MalformedError("log-index", "the log has no such entry", index=index, size=self._size)
        return self._tile(ENTRIES, index // WIDTH)[index % WIDTH]

    def subtree(self, low: int, high: int) -> bytes:
        """The root over the leaves [low, high) of a range that a proof names."""
        parts: list[bytes] = []
        while low < high:
            level = (high - low).bit_length() - 1
            parts.append(self._perfect(level, low >> level))
            low += 1 << level
        # Subtrees of falling size join from the right, each the left sibling of all that is smaller.
        found = parts.pop() if parts else merkle.EMPTY
        while parts:
            found = merkle.node_hash(parts.pop(), found)
        return found

    def _perfect(self, level: int, number: int) -> bytes:
        """The hash of the `number`-th perfect subtree of 2^level leaves."""
        height, within = divmod(level, 8)
        first = number << within
        index, row = divmod(first, WIDTH)
        return merkle.root(self._tile(height, index)[row : row + (1 << within)])

    def root(self) -> bytes:
        """The tree's root."""
        return self.subtree(0, self._size)

    def inclusion(self, index: int) -> list[bytes]:
        """The path from an entry to the root, its sibling first."""
        return [self.subtree(low, high) for low, high in merkle.inclusion_ranges(index, self._size)]

    def consistency(self, old: int) -> list[bytes]:
        """The proof that this tree begins with the tree over its first `old` entries (0 < old ≤ size)."""
        return [self.subtree(low, high) for low, high in merkle.consistency_ranges(old, self._size)]


class LogReader(TiledTree):
    """The log as its newest checkpoint has it, signed by the key one believes."""

    def __init__(self, store: Store, verifier: NoteVerifier) -> None:
        """Reads the checkpoint. VerificationError if it is missing, unreadable or not signed by the key."""
        self.verifier = verifier
        self.note, self.checkpoint = read_checkpoint(store, verifier)
        super().__init__(store, self.checkpoint.size)

    def entry(self, index: int) -> bytes:
        """The entry at a log index, proved to be in the checkpoint. VerificationError if it is not."""
        found = super().entry(index)
        merkle.verify_inclusion(merkle.leaf_hash(found), index, self.size, self.inclusion(index), self.checkpoint.root)
        return found


def read_checkpoint(store: Store, verifier: NoteVerifier) -> tuple[bytes, Checkpoint]:
    """The stored checkpoint, verbatim and taken apart. VerificationError, naming it, if missing or not the key's."""
    try:
        note = store.read(CHECKPOINT)
        return note, open_checkpoint(note, verifier)
    except ConflictError:
        problem = "checkpoint-missing", "a log has no checkpoint"
    except MalformedError:
        problem = "checkpoint-damaged", "a log's checkpoint does not read"
    except VerificationError as error:
        problem = error.code, error.message
    raise VerificationError(*problem, object=CHECKPOINT)
