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

_MAPPED = np.array([0] * 10 + [255, 255], np.uint8)
_LEVELS = 8
"""Bits of the address handled per AES call when encrypting: bounds the memory at 2 × 16 × 8 bytes per address."""


def encrypt(key: bytes, addresses: Addresses) -> Addresses:
    """The pseudonyms of addresses under a 32-byte key, in order."""
    return encrypt_each([key], np.array([len(addresses)]), addresses)


def decrypt(key: bytes, pseudonyms: Addresses) -> Addresses:
    """The addresses of pseudonyms under a 32-byte key, in order."""
    result = np.empty_like(pseudonyms)
    mapped = is_mapped(pseudonyms)
    for rows, first in ((np.flatnonzero(mapped), 96), (np.flatnonzero(~mapped), 0)):
        if len(rows):
            result[rows] = _decrypt(_ciphers(key), pseudonyms[rows], first)
    return result


def encrypt_each(keys: Sequence[bytes], counts: npt.NDArray[np.int64], addresses: Addresses) -> Addresses:
    """The pseudonyms of addresses that lie grouped by key: `counts[i]` of them under `keys[i]`."""
    owner = np.repeat(np.arange(len(keys)), counts)
    ciphers = [_ciphers(key) for key in keys]
    result = np.empty_like(addresses)
    mapped = is_mapped(addresses)
    for rows, first in ((np.flatnonzero(mapped), 96), (np.flatnonzero(~mapped), 0)):
        if len(rows):
            bounds = np.searchsorted(owner[rows], np.arange(len(keys) + 1))
            result[rows] = _encrypt(ciphers, bounds, addresses[rows], first)
    return result


def is_mapped(addresses: Addresses) -> Mask:
    """Which addresses are IPv4-mapped."""
    words = np.ascontiguousarray(addresses).view(">u8").reshape(-1, 2)
    return np.asarray((words[:, 0] == 0) & (words[:, 1] >> np.uint64(32) == 0xFFFF))


class _Ciphers:
    """AES-128 in ECB mode under both halves of a key; `bits` is the XOR of the last bits of the two."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY or key[:16] == key[16:]:
            raise ConfigurationError("pseudonym-key", "a pseudonym key is 32 bytes, its halves different")
        # ECB is the block cipher itself, which is what ipcrypt-pfx is built from; nothing is stored under it.
        self._halves = [Cipher(algorithms.AES(half), modes.ECB()).encryptor() for half in (key[:16], key[16:])]  # noqa: S305

    def bits(self, blocks: bytes | memoryview) -> npt.NDArray[np.uint64]:
        one, two = (np.frombuffer(half.update(blocks), np.uint8)[15::16] for half in self._halves)
        return ((one ^ two) & 1).astype(np.uint64)


def _ciphers(key: bytes) -> _Ciphers:
    return _Ciphers(key)


def _start(first: int) -> tuple[int, int]:
    """The padded prefix before any address bit: a one bit above the prefix bits known from the start."""
    padded = 1 if first == 0 else (1 << 96) | 0xFFFF
    return padded >> 64, padded & (2**64 - 1)


def _words(addresses: Addresses) -> tuple[_Words, _Words]:
    words = np.ascontiguousarray(addresses).view(">u8").reshape(-1, 2).astype(np.uint64)
    return words[:, 0], words[:, 1]


def _address_bit(high: _Words, low: _Words, level: int) -> _Words:
    word, shift = (high, 63 - level) if level < 64 else (low, 127 - level)
    return (word >> np.uint64(shift)) & np.uint64(1)


def _encrypt(ciphers: Sequence[_Ciphers], bounds: npt.NDArray[np.int64], addresses: Addresses, first: int) -> Addresses:
    """All addresses of one family, grouped by cipher at `bounds`, `_LEVELS` bits at a time."""
    count = len(addresses)
    high, low = _words(addresses)
    masks = [np.zeros(count, np.uint64), np.zeros(count, np.uint64)]
    top, bottom = (np.full(count, word, np.uint64) for word in _start(first))
    used = [(index, int(bounds[index]), int(bounds[index + 1])) for index in range(len(ciphers))]
    for base in range(first, 128, _LEVELS):
        blocks = np.empty((count, _LEVELS, 2), ">u8")
        for step in range(_LEVELS):
            blocks[:, step, 0], blocks[:, step, 1] = top, bottom
            top = (top << np.uint64(1)) | (bottom >> np.uint64(63))
            bottom = (bottom << np.uint64(1)) | _address_bit(high, low, base + step)
        bits = np.empty(count * _LEVELS, np.uint64)
        flat = memoryview(blocks.reshape(-1).view(np.uint8))
        for index, start, end in used:
            if end > start:
                bits[start * _LEVELS : end * _LEVELS] = ciphers[index].bits(flat[start * _LEVELS * 16 : end * _LEVELS * 16])
        shifts = np.arange(_LEVELS - 1, -1, -1, dtype=np.uint64)
        drawn = (bits.reshape(count, _LEVELS) << shifts).sum(1, dtype=np.uint64)
        masks[base // 64] |= drawn << np.uint64(64 - _LEVELS - base % 64)
    return _bytes(high ^ masks[0], low ^ masks[1])


def _decrypt(ciphers: _Ciphers, pseudonyms: Addresses, first: int) -> Addresses:
    """One family under one key, bit by bit, as each bit needs those before it."""
    count = len(pseudonyms)
    high, low = _words(pseudonyms)
    top, bottom = (np.full(count, word, np.uint64) for word in _start(first))
    blocks = np.empty((count, 2), ">u8")
    for level in range(first, 128):
        blocks[:, 0], blocks[:, 1] = top, bottom
        bit = _address_bit(high, low, level) ^ ciphers.bits(memoryview(blocks.reshape(-1).view(np.uint8)))
        top = (top << np.uint64(1)) | (bottom >> np.uint64(63))
        bottom = (bottom << np.uint64(1)) | bit
    if first:
        # The marker bit of an IPv4 prefix has moved to the very top; the address itself is below it.
        return _bytes(np.zeros(count, np.uint64), (np.uint64(0xFFFF) << np.uint64(32)) | (bottom & np.uint64(2**32 - 1)))
    return _bytes(top, bottom)


def _bytes(high: _Words, low: _Words) -> Addresses:
    return np.column_stack((high, low)).astype(">u8").view(np.uint8).reshape(-1, 16)


_OCTETS = np.zeros((256, 4), np.uint8)
for _octet in range(256):
    _OCTETS[_octet, : len(str(_octet))] = np.frombuffer(str(_octet).encode(), np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def texts(addresses: Addresses, dotted: Mask) -> pa.LargeBinaryArray:
    """The canonical texts, as dotted quads where asked (of the last four bytes), as RFC 5952 IPv6 elsewhere."""
    cells = np.zeros((len(addresses), 39), np.uint8)
    four, six = np.flatnonzero(dotted), np.flatnonzero(~dotted)
    if len(four):
        quads = np.zeros((len(four), 4, 4), np.uint8)
        quads[:] = _OCTETS[addresses[four, 12:]]
        padded = np.zeros((len(four), 16), np.uint8)
        padded[:] = quads.reshape(-1, 16)
        lengths = (quads > 0).sum(2)
        rows = np.arange(len(four))
        for octet in range(3):
            padded[rows, octet * 4 + lengths[:, octet]] = 0x2E
        cells[four, :16] = padded
    if len(six):
        cells[six] = _hexadecimal(addresses[six])
    kept = cells != 0
    offsets = np.zeros(len(addresses) + 1, np.int64)
    np.cumsum(kept.sum(1), out=offsets[1:])
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(addresses), [None, pa.py_buffer(offsets), pa.py_buffer(cells[kept])]
    )


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
    for row in np.flatnonzero(best > 1).tolist():
        start, end = int(where[row]), int(where[row] + best[row])
        cells[row, start:end] = 0
        # The colon after the group before the run is there already; at the very start it is not.
        cells[row, start, 0] = 0x3A if start == 0 else 0
        cells[row, end - 1, 1] = 0x3A
    return cells.reshape(count, 40)[:, :39]
