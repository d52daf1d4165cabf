"""ipcrypt-pfx (draft-denis-ipcrypt): prefix-preserving, reversible pseudonyms of IP addresses. Pure; many at a time.

Addresses are 16 bytes each, IPv4 in its IPv4-mapped form (`::ffff:a.b.c.d`), and such a pseudonym is IPv4-mapped again.
Bit i of the pseudonym is bit i of the address XOR a bit drawn, by AES under both halves of the key, from the i bits
before it. So equal prefixes stay equal prefixes, and nothing else is kept.

The texts are canonical: dotted quads, and RFC 5952 for IPv6 (IPv4-mapped ones written in hexadecimal, so that a
text's family never changes).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from holdfast.kernel.errors import ConfigurationError

KEY = 32
Addresses = npt.NDArray[np.uint8]
"""Shape (n, 16)."""
Mask = npt.NDArray[np.bool_]
_Words = npt.NDArray[np.uint64]

_LEVELS = 32
"""Bits of an address drawn by one AES call when encrypting."""
_AT_ONCE = 1024
"""Addresses encrypted at once: their blocks stay in the processor's cache (four times as fast as all at once)."""


def encrypt(key: bytes, addresses: Addresses) -> Addresses:
    """The pseudonyms of addresses under a 32-byte key, in order."""
    return encrypt_each([key], np.array([len(addresses)]), addresses)


def encrypt_each(keys: Sequence[bytes], counts: npt.NDArray[np.int64], addresses: Addresses) -> Addresses:
    """The pseudonyms of addresses that lie grouped by key: `counts[i]` of them under `keys[i]`."""
    owner = np.repeat(np.arange(len(keys)), counts)
    ciphers = [_Ciphers(key) for key in keys]
    result = np.empty_like(addresses)
    for rows, first in _families(addresses):
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            bounds = np.searchsorted(owner[some], np.arange(len(keys) + 1))
            result[some] = _encrypt(ciphers, bounds, addresses[some], first)
    return result


def decrypt(key: bytes, pseudonyms: Addresses) -> Addresses:
    """The addresses of pseudonyms under a 32-byte key, in order."""
    ciphers, result = _Ciphers(key), np.empty_like(pseudonyms)
    for rows, first in _families(pseudonyms):
        for start in range(0, len(rows), _AT_ONCE * _LEVELS):
            some = rows[start : start + _AT_ONCE * _LEVELS]
            result[some] = _decrypt(ciphers, pseudonyms[some], first)
    return result


def is_mapped(addresses: Addresses) -> Mask:
    """Which addresses are IPv4-mapped."""
    high, low = _words(addresses)
    return np.asarray((high == 0) & (low >> np.uint64(32) == 0xFFFF))


def _families(addresses: Addresses) -> list[tuple[npt.NDArray[np.int64], int]]:
    """The rows of IPv4 and of IPv6, each with the number of bits that are known from the start: an IPv4 address is one
    of 128 bits whose first 96 are not encrypted."""
    mapped = is_mapped(addresses)
    return [(np.flatnonzero(mapped), 96), (np.flatnonzero(~mapped), 0)]


class _Ciphers:
    """AES-128 under both halves of a key. ECB is the bare block cipher, which is what ipcrypt-pfx is built from;
    nothing is kept that was encrypted with it."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY or key[:16] == key[16:]:
            raise ConfigurationError("pseudonym-key", "a pseudonym key is 32 bytes whose halves differ")
        self.halves = [Cipher(algorithms.AES(half), modes.ECB()).encryptor() for half in (key[:16], key[16:])]  # noqa: S305


def _words(addresses: Addresses) -> tuple[_Words, _Words]:
    words = np.ascontiguousarray(addresses).view(">u8").reshape(-1, 2).astype(np.uint64)
    return words[:, 0], words[:, 1]


def _blocks(high: _Words, low: _Words, level: int, count: int) -> npt.NDArray[np.uint8]:
    """The padded prefixes of `count` levels: the first `level`, `level + 1`... bits of each address, right-aligned
    below a one bit. Shape (addresses × count × 16). The levels do not cross the middle of the address."""
    one, steps = np.uint64(1), np.arange(level % 64, level % 64 + count, dtype=np.uint64)
    padded = np.empty((len(high), count, 2), ">u8")
    lead = (high if level < 64 else low)[:, None] >> one >> (np.uint64(63) - steps)
    if level < 64:
        padded[:, :, 0] = 0
        padded[:, :, 1] = lead | (one << steps)
    elif not high.any():  # IPv4: one shift instead of three
        padded[:, :, 0] = one << steps
        padded[:, :, 1] = lead
    else:
        padded[:, :, 0] = (high[:, None] >> one >> (np.uint64(63) - steps)) | (one << steps)
        padded[:, :, 1] = (high[:, None] << steps) | lead
    return padded.reshape(-1).view(np.uint8)


def _encrypt(ciphers: Sequence[_Ciphers], bounds: npt.NDArray[np.int64], addresses: Addresses, first: int) -> Addresses:
    """Addresses of one family, grouped by cipher at `bounds`, `_LEVELS` bits at a time."""
    high, low = _words(addresses)
    result = addresses.copy()
    size = _LEVELS * 16
    used = [
        (index, bounds[index] * size, bounds[index + 1] * size) for index in np.flatnonzero(np.diff(bounds)).tolist()
    ]
    drawn = [np.empty(len(addresses) * size + 16, np.uint8) for _ in range(2)]
    for level in range(first, 128, _LEVELS):
        blocks = _blocks(high, low, level, _LEVELS).data
        for index, start, end in used:
            for half, into in zip(ciphers[index].halves, drawn, strict=True):
                half.update_into(blocks[start:end], into[start : end + 15].data)  # it wants room for a block more
        bits = (drawn[0][15:-16:16] ^ drawn[1][15:-16:16]) & 1
        result[:, level // 8 : (level + _LEVELS) // 8] ^= np.packbits(bits.reshape(-1, _LEVELS), axis=1)
    return result


def _decrypt(ciphers: _Ciphers, pseudonyms: Addresses, first: int) -> Addresses:
    """One family under one key, bit by bit, as each bit needs those before it."""
    words = _words(pseudonyms)
    known = np.uint64(0), np.uint64(0xFFFF << 32 if first else 0)
    high, low = (np.full(len(pseudonyms), word, np.uint64) for word in known)
    for level in range(first, 128):
        blocks = _blocks(high, low, level, 1).data
        one, two = (np.frombuffer(half.update(blocks), np.uint8)[15::16] for half in ciphers.halves)
        shift = np.uint64(63 - level % 64)
        bit = ((words[level // 64] >> shift) ^ (one ^ two)) & np.uint64(1)
        if level < 64:
            high |= bit << shift
        else:
            low |= bit << shift
    return np.column_stack((high, low)).astype(">u8").view(np.uint8).reshape(-1, 16)


_QUAD = 16
_PAIRS = np.frombuffer(
    b"".join(f"{high}.{low}".encode().ljust(8, b"\0") for high in range(256) for low in range(256)), np.uint64
)
"""Two octets as text, padded with NUL to eight bytes."""
_DOTTED_PAIRS = np.frombuffer(
    b"".join(f"{high}.{low}.".encode().ljust(8, b"\0") for high in range(256) for low in range(256)), np.uint64
)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def texts(addresses: Addresses, dotted: Mask) -> pa.LargeBinaryArray:
    """The canonical texts, as dotted quads where asked (of the last four bytes), as RFC 5952 IPv6 elsewhere."""
    if dotted.all():
        cells = _quads(addresses)
    else:
        cells = np.zeros((len(addresses), 39), np.uint8)
        cells[dotted, :_QUAD] = _quads(addresses[dotted])
        cells[~dotted] = _hexadecimal(addresses[~dotted])
    kept = cells != 0
    offsets = np.zeros(len(addresses) + 1, np.int64)
    np.cumsum(np.count_nonzero(kept, axis=1), out=offsets[1:])
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(addresses), [None, pa.py_buffer(offsets), pa.py_buffer(cells[kept])]
    )


def _quads(addresses: Addresses) -> npt.NDArray[np.uint8]:
    """Dotted quads, 16 cells each, NUL where a cell is unused."""
    halves = np.ascontiguousarray(addresses[:, 12:]).view(">u2").reshape(-1, 2).astype(np.int64)
    return np.column_stack((_DOTTED_PAIRS[halves[:, 0]], _PAIRS[halves[:, 1]])).view(np.uint8).reshape(-1, _QUAD)


def _hexadecimal(addresses: Addresses) -> npt.NDArray[np.uint8]:
    """RFC 5952 texts, 39 cells each, NUL where a cell is unused: no leading zeros, the longest run of two or more zero
    groups (the first of equals) written `::`."""
    count = len(addresses)
    nibbles = np.column_stack((addresses >> 4, addresses & 15)).reshape(count, 2, 8, 2)
    digits = nibbles.transpose(0, 2, 3, 1).reshape(count, 8, 4)
    shown = np.logical_or.accumulate(digits != 0, axis=2)
    shown[:, :, 3] = True
    cells = np.zeros((count, 8, 5), np.uint8)
    cells[:, :, :4] = np.where(shown, _HEX[digits], 0)
    cells[:, :7, 4] = 0x3A
    zero = (digits == 0).all(2)
    run, best, where = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    for group in range(8):
        run = np.where(zero[:, group], run + 1, 0)
        longer = run > best
        best, where = np.where(longer, run, best), np.where(longer, group - run + 1, where)
    rows = np.flatnonzero(best > 1)
    start, end = where[rows], where[rows] + best[rows]
    places = np.arange(8)
    cells[rows] *= ~((places >= start[:, None]) & (places < end[:, None]))[:, :, None]
    # The colon after the group before the run is there already; at the very start it is not.
    cells[rows[start == 0], 0, 0] = 0x3A
    cells[rows, end - 1, 1] = 0x3A
    return cells.reshape(count, 40)[:, :39]
