"""RFC 6962 Merkle trees: hashes, roots, and proofs that are made and judged.

One kind of tree is used three times (formats): lines → batch → flush → log. Leaves are leaf hashes, 32 bytes each:
`leaf_hashes` makes them of entries. A proof is a list of subtree hashes; `inclusion_ranges` and `consistency_ranges`
say which, as half-open ranges of leaves, so that a log takes them from its tiles and a batch from its own leaves.

Judging is strict: a proof has exactly the hashes it needs, each of 32 bytes, or VerificationError is raised. The
subtree proofs are those of draft-ietf-plants-merkle-tree-certs; consistency is the case of a subtree that starts at 0.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import repeat

from holdfast.kernel.errors import VerificationError

HASH = 32
EMPTY = sha256(b"").digest()
"""The root of no leaves."""
SIZE_LIMIT = 1 << 63

Range = tuple[int, int]

_digest = type(sha256()).digest  # called through `map`: a quarter less than a comprehension, and it is most of the cost


def leaf_hash(entry: bytes) -> bytes:
    """H(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each entry, in order."""
    return prefixed_leaf_hashes([b"\x00" + entry for entry in entries])


def prefixed_leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The same of entries that already have their 0x00 before them. Under a microsecond each: this and `root` are the
    cost of a line."""
    return list(map(_digest, map(sha256, entries)))


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH over leaf hashes (or over the hashes of equal perfect subtrees, the last of which may be a smaller one)."""
    if not leaves:
        return EMPTY
    # Level by level from the left; an odd one out at the right moves up as it is. That is RFC 6962's split at the
    # largest power of two, without its recursion.
    while len(leaves) > 1:
        odd = leaves[-1:] if len(leaves) & 1 else ()
        nodes = zip(repeat(b"\x01"), leaves[::2], leaves[1::2], strict=False)
        above = list(map(_digest, map(sha256, map(b"".join, nodes))))
        above.extend(odd)
        leaves = above
    return leaves[0]


def edge_root(levels: Iterable[Sequence[bytes]]) -> bytes:
    """The root of a tree from the perfect subtrees at its right edge: per level, the lowest first, those that no larger
    one covers, all of one size. Levels without any may be left out."""
    below: list[bytes] = []
    for hashes in levels:
        row = [*hashes, *below]
        below = [root(row)] if row else []
    return below[0] if below else EMPTY


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves whose roots prove leaf `index` in a tree of `size`, from the leaf's sibling upwards."""
    _check_index(index, size)
    low, high, ranges = 0, size, list[Range]()
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The ranges whose roots prove that a tree of `size` begins with the tree of `old` leaves (0 < old ≤ size)."""
    if not 0 < old <= size < SIZE_LIMIT:
        raise VerificationError("proof-size", "a consistency proof leads from a smaller tree that is not empty")
    low, high, ranges = 0, size, list[Range]()
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    # The old tree's last perfect subtree is named only where it is not the old tree itself, whose root is known.
    return [*([(low, high)] if low else []), *ranges[::-1]]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of one leaf, from its sibling upwards."""
    return [root(leaves[low:high]) for low, high in inclusion_ranges(index, len(leaves))]


def consistency_path(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree over `leaves` begins with the tree over the first `old` of them."""
    return [root(leaves[low:high]) for low, high in consistency_ranges(old, len(leaves))]


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size < SIZE_LIMIT:
        raise VerificationError("proof-index", "an inclusion proof's index is outside its tree")


def _check_hashes(hashes: Iterable[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH:
            raise VerificationError("proof-hash", "a hash in a proof is not 32 bytes")


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> None:
    """Nothing, if `leaf` (a leaf hash) stands at `index` in the tree of `size` leaves with root `expected`.

    Raises VerificationError otherwise.
    """
    _check_index(index, size)
    _check_hashes((leaf, expected, *path))
    node, last = index, size - 1
    for sibling in path:
        if last == 0:
            raise VerificationError("proof-length", "an inclusion proof has too many hashes")
        if node & 1 or node == last:
            leaf = node_hash(sibling, leaf)
            while not node & 1:
                node, last = node >> 1, last >> 1
        else:
            leaf = node_hash(leaf, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise VerificationError("proof-length", "an inclusion proof has too few hashes")
    if leaf != expected:
        raise VerificationError("proof-root", "an inclusion proof does not lead to the root")


def verify_consistency(old: int, size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Nothing, if the tree of `size` leaves begins with the tree of `old` leaves (0 < old ≤ size).

    Raises VerificationError otherwise; also for an empty old tree, which every tree begins with and no proof is about.
    """
    if old < 1:
        raise VerificationError("proof-size", "a consistency proof leads from a smaller tree that is not empty")
    verify_subtree_consistency(0, old, size, path, old_root, new_root)


def _check_subtree(start: int, end: int) -> None:
    if not 0 <= start < end < SIZE_LIMIT or start % (1 << (end - start - 1).bit_length()):
        raise VerificationError("proof-subtree", "a range of leaves is not a subtree")


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, path: Sequence[bytes], expected: bytes
) -> None:
    """Nothing, if `leaf` stands at `index` in the subtree over the leaves [start, end) with root `expected`.

    Raises VerificationError otherwise.
    """
    _check_subtree(start, end)
    verify_inclusion(leaf, index - start, end - start, path, expected)


def verify_subtree_consistency(
    start: int, end: int, size: int, path: Sequence[bytes], subtree_root: bytes, tree_root: bytes
) -> None:
    """Nothing, if the tree of `size` leaves contains the subtree over its leaves [start, end).

    An empty subtree with an empty proof is contained in every tree. Raises VerificationError otherwise.
    """
    if start == end and 0 <= end <= size < SIZE_LIMIT:
        if path or subtree_root != EMPTY:
            raise VerificationError("proof-root", "an empty subtree has the empty root and an empty proof")
        return
    _check_subtree(start, end)
    if not end <= size < SIZE_LIMIT:
        raise VerificationError("proof-size", "a subtree ends beyond its tree")
    if path:
        _check_hashes((subtree_root, tree_root, *path))
    first, node, last = start, end - 1, size - 1
    while first != node and (node == last or node & 1):
        first, node, last = first >> 1, node >> 1, last >> 1
    rest = list(path)
    if first == node:
        old = new = subtree_root
    elif rest:
        old = new = rest.pop(0)
    else:
        raise VerificationError("proof-length", "a consistency proof has too few hashes")
    for sibling in rest:
        if last == 0:
            raise VerificationError("proof-length", "a consistency proof has too many hashes")
        if node & 1 or node == last:
            if first < node:
                old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not node & 1:
                first, node, last = first >> 1, node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        first, node, last = first >> 1, node >> 1, last >> 1
    if last:
        raise VerificationError("proof-length", "a consistency proof has too few hashes")
    if old != subtree_root or new != tree_root:
        raise VerificationError("proof-root", "a consistency proof does not lead to both roots")
