"""Pseudonyms: a permutation under each key that keeps prefixes; canonical texts."""

import ipaddress

import numpy as np
import pytest

from holdfast.kernel.errors import ConfigurationError
from holdfast.rules import pseudonyms

RANDOM = np.random.default_rng(7)


def some(count: int) -> np.ndarray:
    addresses = RANDOM.integers(0, 256, (count, 16), dtype=np.uint8)
    addresses[::2, :10], addresses[::2, 10:12] = 0, 255
    return addresses


def test_many_addresses_under_many_keys_are_each_as_alone_and_come_back() -> None:
    keys, counts, addresses = [RANDOM.bytes(32) for _ in range(5)], np.array([700, 0, 1, 1500, 3]), some(2204)
    together = pseudonyms.encrypt_each(keys, counts, addresses)
    bounds = np.concatenate(([0], np.cumsum(counts)))
    for key, start, end in zip(keys, bounds, bounds[1:], strict=False):
        assert (pseudonyms.encrypt(key, addresses[start:end]) == together[start:end]).all()
        assert (pseudonyms.decrypt(key, together[start:end]) == addresses[start:end]).all()
    assert (pseudonyms.is_mapped(together) == pseudonyms.is_mapped(addresses)).all()


def test_texts_are_canonical() -> None:
    groups = RANDOM.integers(0, 2**16, (3000, 8)) >> RANDOM.integers(0, 16, (3000, 8))
    groups *= RANDOM.integers(0, 3, (3000, 8)) > 0
    groups[:300] *= RANDOM.integers(0, 2, (300, 8))
    addresses = groups.astype(">u2").view(np.uint8).reshape(-1, 16)
    six = pseudonyms.texts(addresses, np.zeros(3000, np.bool_)).to_pylist()
    assert six == [str(ipaddress.IPv6Address(row.tobytes())).encode() for row in addresses]
    four = pseudonyms.texts(addresses, np.ones(3000, np.bool_)).to_pylist()
    assert four == [str(ipaddress.IPv4Address(row[12:].tobytes())).encode() for row in addresses]


@pytest.mark.parametrize("key", [b"short", bytes(32), b"twice the same16" * 2])
def test_a_key_that_is_too_weak_is_refused(key: bytes) -> None:
    with pytest.raises(ConfigurationError):
        pseudonyms.encrypt(key, some(1))
