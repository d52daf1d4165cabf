"""The roots of batches: one way for who commits lines and for who recomputes them. Many batches at a time."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.formats.batches import SALT, line_salts
from holdfast.rules.merkle import prefixed_leaf_hashes, root

_NOTHING = pa.scalar(b"", pa.large_binary())


def line_leaves(secrets: Sequence[bytes], counts: Sequence[int], records: pa.LargeBinaryArray) -> list[bytes]:
    """The leaf hash of every line, H(0x00 ‖ salt ‖ record): of the first `counts[0]` records with salts from
    `secrets[0]`, and so on (formats, Line)."""
    lines = len(records)
    prefixes = np.zeros((lines, 1 + SALT), np.uint8)
    salts = b"".join([line_salts(secret, count) for secret, count in zip(secrets, counts, strict=True)])
    prefixes[:, 1:] = np.frombuffer(salts, np.uint8).reshape(lines, SALT)
    offsets = np.arange(lines + 1, dtype=np.int64) * (1 + SALT)
    heads = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), lines, [None, pa.py_buffer(offsets), pa.py_buffer(prefixes.tobytes())]
    )
    entries: list[bytes] = pc.binary_join_element_wise(heads, records, _NOTHING).to_pylist()
    return prefixed_leaf_hashes(entries)


def batch_roots(secrets: Sequence[bytes], counts: Sequence[int], records: pa.LargeBinaryArray) -> list[bytes]:
    """MTH over the lines' entries, for each batch."""
    leaves = line_leaves(secrets, counts, records)
    roots, at = [], 0
    for count in counts:
        roots.append(root(leaves[at : at + count]))
        at += count
    return roots
