"""A transparency log that grows: entries in, tiles and a signed checkpoint out (formats, Log).

An append writes, each kind durable before the next: entry bundles, tiles from the leaves up, the checkpoint. The
checkpoint is the one write that makes it true.

* Before it, a crash leaves objects beyond the checkpoint. Nobody was told of them. Whoever appends keeps its entries
  elsewhere first (the journal, the keeper's database) and appends the same again in the same order, in whatever
  portions. What is there already is compared: other entries, or an object not the same to the byte, raise
  VerificationError `log-leftover` and nothing is signed. So two heads of one size are never signed, not even over a
  checkpoint that somebody put back.
* After it, partial tiles that a full one has replaced are deleted, a few per append; what is missed is found later.

Between appends the right edge of the tree is held in memory: an append reads the checkpoint only, to be sure nobody
else writes this log.
"""

import contextlib
from collections.abc import Sequence

from holdfast.formats import tiles
from holdfast.formats.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from holdfast.formats.notes import NoteSigner, NoteVerifier
from holdfast.formats.tiles import CHECKPOINT, ENTRIES, LEVELS, WIDTH, Tile
from holdfast.kernel.errors import BusyError, ConflictError, HoldfastError, OutcomeUnknownError, VerificationError
from holdfast.rules import merkle
from holdfast.vault.consulting import TiledTree, read_checkpoint, read_tile
from holdfast.vault.ports import Store

_DELETED_PER_APPEND = 16


class TileLog:
    """A log of one's own, for its one writer. Satisfies vault.ports.LogSink."""

    def __init__(self, store: Store, signer: NoteSigner) -> None:
        """Opens the log, or begins it with a checkpoint of size 0 where there is nothing yet.

        VerificationError, naming the object, if the checkpoint is missing or not this key's, or the right edge of tiles
        and entries does not lead to its root.
        """
        self._store = store
        self._signer = signer
        self._verifier = signer.verifier()
        self._in_doubt = False
        self._obsolete: list[str] = []
        if not store.exists(CHECKPOINT):
            self._begin()
        self._note, self._head = read_checkpoint(store, self._verifier)
        self._levels = self._read_edge()
        self._bundle = self._read_last_bundle()
        self._leftover = self._read_leftover()
        self._find_obsolete()

    def _begin(self) -> None:
        if next(iter(self._store.names("tile")), None) is not None:
            raise VerificationError("checkpoint-missing", "a log has tiles and no checkpoint", object=CHECKPOINT)
        empty = Checkpoint(self._signer.name, 0, merkle.EMPTY)
        self._store.replace(CHECKPOINT, sign_checkpoint(empty, self._signer))

    def _read_edge(self) -> list[list[bytes]]:
        levels: list[list[bytes]] = [[] for _ in range(LEVELS)]
        edge = tiles.frontier(self.size)
        for tile in edge:
            levels[tile.level] = read_tile(self._store, tile)
        if merkle.edge_root(levels) != self._head.root:
            at = edge[-1].path() if edge else CHECKPOINT
            raise VerificationError("log-root", "a log's tiles do not lead to its checkpoint", object=at)
        return levels

    def _read_last_bundle(self) -> list[bytes]:
        if self.size % WIDTH == 0:
            return []
        tile = Tile(ENTRIES, self.size // WIDTH, self.size % WIDTH)
        entries = read_tile(self._store, tile)
        if merkle.leaf_hashes(entries) != self._levels[0]:
            raise VerificationError("log-entries", "a log's entries are not those of its tiles", object=tile.path())
        return entries

    def _read_leftover(self) -> list[bytes]:
        """Entries written after the checkpoint, in order, from the widest bundle of each index."""
        found: list[bytes] = []
        index, skipped = divmod(self.size, WIDTH)
        while True:
            full = Tile(ENTRIES, index)
            there = [tiles.parse_path(name) for name in self._store.names(full.path() + ".p")]
            if self._store.exists(full.path()):
                there.append(full)
            widest = max((tile.width for tile in there), default=0)
            if widest > skipped:
                found.extend(read_tile(self._store, Tile(ENTRIES, index, widest))[skipped:])
            if widest < WIDTH:
                return found
            index, skipped = index + 1, 0

    def _find_obsolete(self) -> None:
        # Deletion keeps up within one tile's growth, so leftovers lie at most one tile behind the edge.
        for level in range(ENTRIES, LEVELS):
            index = tiles.hashes_at(level, self.size) // WIDTH - 1
            if index >= 0:
                self._obsolete.extend(self._store.names(Tile(level, index).path() + ".p"))

    @property
    def size(self) -> int:
        """Entries committed."""
        return self._head.size

    @property
    def root(self) -> bytes:
        """The root over them."""
        return self._head.root

    @property
    def origin(self) -> str:
        """The log's name, which is its key's."""
        return self._signer.name

    @property
    def verifier(self) -> NoteVerifier:
        """The public key that the checkpoints are signed with."""
        return self._verifier

    @property
    def checkpoint(self) -> bytes:
        """The newest checkpoint, a signed note."""
        return self._note

    def entry(self, index: int) -> bytes:
        """The entry at a log index."""
        return TiledTree(self._store, self.size).entry(index)

    def inclusion(self, index: int) -> list[bytes]:
        """The path from an entry to the newest root."""
        return TiledTree(self._store, self.size).inclusion(index)

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries and publish a signed checkpoint; durable when it returns. No entries change nothing.

        BusyError (a full disk): nothing was committed, and the same may be tried again. VerificationError: what lies
        beyond the checkpoint is something else, or another writer was here. MalformedError: an entry over 65,535 bytes.
        If the checkpoint's replacement fails in any other way, whether it stands is not known: every later append
        raises OutcomeUnknownError until the log is opened again and its size looked at.
        """
        if self._in_doubt:
            raise OutcomeUnknownError("log-in-doubt", "a log must be opened again after a failed checkpoint")
        if not entries:
            return
        if any(mine != there for mine, there in zip(entries, self._leftover, strict=False)):
            raise VerificationError(
                "log-leftover", "beyond a log's checkpoint lies something else", first=self.size, object=CHECKPOINT
            )
        old, size = self.size, self.size + len(entries)
        pending = [*self._bundle, *entries]
        written = self._objects(ENTRIES, old, size, pending)
        levels, carried = list(self._levels), merkle.leaf_hashes(entries)
        for level in range(LEVELS):
            hashes = levels[level] + carried
            written += self._objects(level, old, size, hashes)
            full = len(hashes) - len(hashes) % WIDTH
            levels[level] = hashes[full:]
            carried = [merkle.root(hashes[at : at + WIDTH]) for at in range(0, full, WIDTH)]
        if len(entries) > len(self._leftover):
            self._leftover = list(entries)
        for tile, data in written:
            self._create(tile, data)
        self._publish(Checkpoint(self.origin, size, merkle.edge_root(levels)))
        self._levels = levels
        del self._leftover[: len(entries)]
        self._bundle = pending[len(pending) - len(pending) % WIDTH :]
        self._drop_obsolete(old, len(entries), written)

    def _objects(self, level: int, old: int, size: int, held: Sequence[bytes]) -> list[tuple[Tile, bytes]]:
        """The objects to write at a level; `held` begins where the partial tile of the old size does."""
        start = tiles.hashes_at(level, old) // WIDTH * WIDTH
        encode = tiles.encode_bundle if level == ENTRIES else tiles.encode_hashes
        found: list[tuple[Tile, bytes]] = []
        for tile in tiles.new_tiles(level, old, size):
            at = tile.index * WIDTH - start
            found.append((tile, encode(held[at : at + tile.width])))
        return found

    def _create(self, tile: Tile, data: bytes) -> None:
        try:
            self._store.create(tile.path(), data)
        except ConflictError:
            if self._store.read(tile.path()) != data:
                raise VerificationError(
                    "log-leftover", "beyond a log's checkpoint lies something else", object=tile.path()
                ) from None

    def _publish(self, head: Checkpoint) -> None:
        if self._store.read(CHECKPOINT) != self._note:
            raise VerificationError("log-moved", "somebody else has written a log's checkpoint", object=CHECKPOINT)
        note = sign_checkpoint(head, self._signer)
        try:
            self._store.replace(CHECKPOINT, note)
        except BusyError:
            raise
        except BaseException:
            self._in_doubt = True
            raise
        self._note, self._head = note, open_checkpoint(note, self._verifier)

    def _drop_obsolete(self, old: int, grown: int, written: Sequence[tuple[Tile, bytes]]) -> None:
        for tile, _data in written:
            if tile.full and tile.index == tiles.hashes_at(tile.level, old) // WIDTH:
                self._obsolete.extend(self._store.names(tile.path() + ".p"))
        # An entry leaves at most two partial tiles behind (a third every 256), so two for each entry keep up. The log
        # stands already: what cannot be deleted now is found at the next start.
        with contextlib.suppress(HoldfastError):
            for _ in range(min(_DELETED_PER_APPEND + 2 * grown, len(self._obsolete))):
                self._store.delete(self._obsolete.pop())
