"""Batch headers are canonical and strict; line salts are a keystream."""

from dataclasses import replace

import pytest

from holdfast.formats.batches import BatchHeader, line_salts, parse_header
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import EnvironmentName, NodeName, Stream

HEADER = BatchHeader(EnvironmentName("acme/main"), Stream.APP, NodeName("n1"), 0, 812, bytes(32), b"")
BYTES = (
    b'{"count":812,"environment":"acme/main","first":"0","node":"n1","previous":"",'
    b'"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","stream":"app","v":1}'
)


def test_a_header_is_canonical_json() -> None:
    assert HEADER.encode() == BYTES
    assert parse_header(BYTES) == HEADER
    later = replace(HEADER, first=2**63, previous=bytes([7] * 32))
    assert parse_header(later.encode()) == later


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"812", b"0"),
        (b"812", b"812.0"),
        (b"812", b'"812"'),
        (b'"first":"0"', b'"first":0'),
        (b'"first":"0"', b'"first":"+0"'),
        (b'"first":"0"', b'"first":"00"'),
        (b"AAA=", b"AAB="),
        (b"AAA=", b"A="),
        (b'"v":1', b'"v":2'),
        (b'"app"', b'"mail"'),
        (b"acme/main", b"acme"),
        (b'"n1"', b'"keeper"'),
        (b'"previous":""', b'"previous":"AAAA"'),
        (b'{"count"', b'{ "count"'),
        (b',"v":1', b',"u":0,"v":1'),
    ],
)
def test_any_other_bytes_are_malformed(old: bytes, new: bytes) -> None:
    assert old in BYTES
    with pytest.raises(MalformedError):
        parse_header(BYTES.replace(old, new))


def test_line_salts_are_the_ctr_keystream() -> None:
    # AES-256 of the zero block under the zero key (NIST AESAVS, CAVP).
    assert line_salts(bytes(32), 1).hex() == "dc95c078a2408989ad48a21492842087"
    salts = line_salts(b"s" * 32, 5)
    assert len({salts[i : i + 16] for i in range(0, 80, 16)}) == 5
    assert line_salts(b"s" * 32, 3) == salts[:48]
