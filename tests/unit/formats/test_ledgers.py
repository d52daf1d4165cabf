"""The ledger reads back exactly, and damage is found before anything is given."""

import hashlib
import io

import pytest

from holdfast.formats import ledgers
from holdfast.formats.ledgers import FlushHeaders, FlushLeaves
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import Instant

LEAVES = [FlushLeaves(i, Instant(10 * i), bytes([i]) * 32 * (i % 3)) for i in range(5)]
HEADERS = [FlushHeaders(i, [(bytes([i]) * 16, b"header %d" % i)] * (i % 3)) for i in range(5)]


def leaves_object() -> bytes:
    sink = io.BytesIO()
    ledgers.write_leaves(sink, LEAVES)
    return sink.getvalue()


def headers_object() -> bytes:
    sink = io.BytesIO()
    ledgers.write_headers(sink, HEADERS)
    return sink.getvalue()


def test_flushes_come_back_in_order() -> None:
    assert list(ledgers.read_leaves(io.BytesIO(leaves_object()), "x")) == LEAVES
    assert list(ledgers.read_headers(io.BytesIO(headers_object()), "x")) == HEADERS
    assert LEAVES[2].each() == [bytes([2]) * 32] * 2
    assert HEADERS[1].leaves() == [hashlib.sha256(b"\x00" + bytes([1]) * 16 + b"header 1").digest()]


@pytest.mark.parametrize("whole", [leaves_object(), headers_object()], ids=["leaves", "headers"])
def test_any_flipped_or_missing_byte_is_found_at_once(whole: bytes) -> None:
    read = ledgers.read_leaves if whole[:4] == b"HFL1" else ledgers.read_headers
    broken = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    for data in [*broken, *(whole[:end] for end in range(0, len(whole), 5)), whole + b"\x00"]:
        with pytest.raises(VerificationError, match="ledger-damaged"):
            next(iter(read(io.BytesIO(data), "x")))


def test_a_digest_over_nonsense_does_not_help() -> None:
    for content in (b"", b"HFL1\x01", b"HFL1" + b"\xff" * 20, b"HFL2"):
        data = content + hashlib.sha256(content).digest()
        with pytest.raises(VerificationError):
            list(ledgers.read_leaves(io.BytesIO(data), "x"))
        with pytest.raises(VerificationError):
            list(ledgers.read_headers(io.BytesIO(data), "x"))


def test_names_sort_as_the_flushes_follow() -> None:
    names = [ledgers.leaves_name(9, 99), ledgers.leaves_name(100, 1000)]
    assert sorted(names) == names
    assert ledgers.flushes_of(names[1]) == (100, 1000)
    assert ledgers.flushes_of(ledgers.headers_name(3, 2)) is None
    assert ledgers.flushes_of("checkpoint") is None
