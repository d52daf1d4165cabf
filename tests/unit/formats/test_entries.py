"""Log entries: written as documented, read back only if written so."""

import hashlib

import pytest

from holdfast.formats.entries import (
    Destruction,
    EventEntry,
    FlushEntry,
    KeyDestroyed,
    LogEntry,
    NodeClosed,
    NodeOpened,
    TreeHead,
    event_commitment,
    key_commitment,
    parse_entry,
)
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import KeyId, NodeName
from holdfast.kernel.secrets import Secret

TIME = Instant(1_800_000_000_000_000_001)
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
FLUSH = FlushEntry(NodeName("n1"), TIME, 2**60, 3, bytes(32))
ENTRIES: list[LogEntry] = [
    FLUSH,
    NodeOpened("keeper", TIME, "logs.example/n1", VKEY, None),
    NodeOpened("keeper", TIME, "logs.example/n2", VKEY, TreeHead(7, bytes(32))),
    NodeClosed("keeper", TIME, "logs.example/n1", TreeHead(7, bytes(32)), "journal lost"),
    KeyDestroyed("keeper", TIME, KeyId("0" * 32), Destruction.ERASURE, bytes(32)),
    EventEntry("keeper", TIME, bytes(32)),
]


def test_a_flush_is_written_as_documented() -> None:
    assert FLUSH.encode() == (
        b'{"batches":3,"flush":"1152921504606846976","kind":"flush","node":"n1",'
        b'"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","time":"2027-01-15T08:00:00.000000001Z","v":1}'
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_every_kind_reads_back(entry: LogEntry) -> None:
    assert parse_entry(entry.encode()) == entry


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1,"w":0'),
        (b'"v":1', b'"v":true'),
        (b'"batches":3', b'"batches":0'),
        (b'"batches":3', b'"batches":3.0'),
        (b'"batches":3', b'"batches":"3"'),
        (b'"batches":3', b'"batches": 3'),
        (b'"n1"', b'"keeper"'),
        (b'"flush":"1', b'"flush":"01'),
        (b'"kind":"flush"', b'"kind":"flash"'),
        (b'"kind":"flush",', b""),
        (b"000000001Z", b"1Z"),
        (b"AAA=", b"AAB="),
        (b"AAA=", b"AA=="),
    ],
)
def test_an_entry_written_otherwise_is_refused(old: bytes, new: bytes) -> None:
    changed = FLUSH.encode().replace(old, new)
    assert changed != FLUSH.encode()
    with pytest.raises(MalformedError):
        parse_entry(changed)


def test_an_entry_fits_a_bundle() -> None:
    with pytest.raises(MalformedError):
        NodeClosed("keeper", TIME, "o", TreeHead(0, bytes(32)), "x" * 66_000).encode()


def test_commitments_are_the_documented_hashes() -> None:
    assert key_commitment(Secret(b"k" * 32)) == hashlib.sha256(b"\x02" + b"k" * 32).digest()
    assert event_commitment(b"salt", {"b": 1, "a": "x"}) == hashlib.sha256(b'salt{"a":"x","b":1}').digest()
