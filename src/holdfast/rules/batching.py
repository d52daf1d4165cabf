"""The root of a batch: one function for who commits lines and who recomputes them."""

from collections.abc import Sequence
from hashlib import sha256

from holdfast.formats.batches import SALT, line_salts
from holdfast.rules.merkle import root


def line_leaves(secret: bytes, records: Sequence[bytes]) -> list[bytes]:
    """The leaf hash of every line: H(0x00 ‖ salt[i] ‖ record), its salts from the batch secret (formats, Line)."""
    salts = line_salts(secret, len(records))
    return [
        sha256(b"\x00%b%b" % (salts[at : at + SALT], record)).digest()
        for at, record in zip(range(0, SALT * len(records), SALT), records, strict=True)
    ]


def batch_root(secret: bytes, records: Sequence[bytes]) -> bytes:
    """MTH over the lines' entries."""
    return root(line_leaves(secret, records))


def batch_leaf(salt: bytes, header: bytes) -> bytes:
    """The leaf hash of a batch's own entry in its flush."""
    return sha256(b"\x00" + salt + header).digest()
