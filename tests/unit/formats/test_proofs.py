"""tlog-proofs against C2SP tlog-proof, and the form of line proofs."""

import hashlib

import pytest

from holdfast.formats.batches import BatchHeader
from holdfast.formats.entries import FlushEntry
from holdfast.formats.proofs import LineProof, TlogProof, parse_line_proof, parse_tlog_proof, shown
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream

FANCY = (
    b"c2sp.org/tlog-proof@v1\n"
    b"extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\n"
    b"index 73894\n"
    b"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
    b"B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
    b"\n"
    b"example.com/fancylog\n"
    b"109482\n"
    b"sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n"
    b"\n" + "— example.com/fancylog hI2DJw==\n".encode()
)


def _hash(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def test_the_specifications_example_reads_and_is_written_alike() -> None:
    proof = parse_tlog_proof(FANCY)
    assert proof.index == 73894
    assert proof.extra == b"age-v1.2.1-darwin-arm64.tar.gz"
    assert len(proof.path) == 2
    assert proof.checkpoint.startswith(b"example.com/fancylog\n109482\n")
    assert proof.encode() == FANCY


def test_a_tlog_proof_is_written_as_the_reference_implementation_writes_it() -> None:
    # transparency-dev/merkle proof/tlog_proof_test.go
    assert TlogProof(0, (), b"checkpoint\n").encode() == b"c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"index 73894", b"index 073894"),
        (b"index 73894", b"index -1"),
        (b"index 73894", b"index  73894"),
        (b"index 73894\n", b""),
        (b"Lmd6\n", b"Lmd\n"),
        (b"dPlQ=\n", b"dPlR=\n"),
        (b"gSKy", b""),
        (b"\n", b"\r\n"),
        (b"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n", b"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n" * 64),
    ],
)
def test_what_is_not_quite_a_tlog_proof_is_refused(old: bytes, new: bytes) -> None:
    changed = FANCY.replace(old, new)
    assert changed != FANCY
    with pytest.raises(MalformedError):
        parse_tlog_proof(changed)


MESSAGE = b"GET /caf\xc3\xa9 \\x \x1b[31m\xff \xe2\x80\xaeevil"
RECORD = b"\x1f".join(
    (b"1800000000000000001", b"1800000000000000000", b"6", b"web-1", b"nginx", b"", b'{"file":"a"}', MESSAGE)
)
LINE = LineProof(
    entry=b"s" * 16 + RECORD,
    index=2,
    path=(_hash(b"a"), _hash(b"b")),
    batch_salt=b"t" * 16,
    header=BatchHeader(
        EnvironmentName("acme/main"), Stream.WEB_ACCESS, NodeName("n1"), 4709, 3, _hash(b"root"), _hash(b"previous")
    ),
    batch_index=0,
    batch_path=(),
    flush=FlushEntry(NodeName("n1"), Instant(1_800_000_000_000_000_002), 7, 1, _hash(b"flush")),
    log=TlogProof(7, (_hash(b"c"),), b"logs.example/n1\n9\n"),
)


def test_a_line_proof_can_be_read_by_eye_and_plays_no_tricks_on_a_terminal() -> None:
    head = LINE.encode().split(b"\n\n")[0].decode()
    assert head == (
        "holdfast-line-proof@v1\n"
        "environment acme/main\n"
        "stream web-access\n"
        "node n1\n"
        "line 4711\n"
        "arrival 2027-01-15T08:00:00.000000001Z\n"
        "time 2027-01-15T08:00:00.000000000Z\n"
        "severity 6\n"
        "host web-1\n"
        "program nginx\n"
        "procid \n"
        'attributes {"file":"a"}\n'
        "message GET /café \\\\x \\x1b[31m\\xff \\xe2\\x80\\xaeevil"
    )


def test_a_line_proof_reads_back() -> None:
    assert parse_line_proof(LINE.encode()) == LINE
    assert LINE.encode().endswith(LINE.log.encode())
    assert LINE.record().message == MESSAGE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"environment acme/main", b"environment evil/main"),
        (b"line 4711", b"line 4712"),
        (b"message GET", b"message PUT"),
        (b"severity 6\n", b""),
        (b"severity 6\n", b"severity 6\nseverity 7\n"),
        (b"index 2", b"index 3"),
        (b'"first":"4709"', b'"first":"04709"'),
        (b"\nsalt dHR0", b"\nsalt dHR1dHR0"),
        (b'"kind":"flush"', b'"kind":"event"'),
        (b"\nflush {", b"\n\nflush {"),
        (b"proof@v1\nenv", b"proof@v2\nenv"),
        (b"\n", b"\r\n"),
    ],
)
def test_a_line_proof_whose_parts_disagree_is_refused(old: bytes, new: bytes) -> None:
    changed = LINE.encode().replace(old, new)
    assert changed != LINE.encode()
    with pytest.raises(MalformedError):
        parse_line_proof(changed)


def test_every_cut_of_a_line_proof_is_refused() -> None:
    text = LINE.encode()
    for end in range(text.index(b"index 7")):
        with pytest.raises(MalformedError):
            parse_line_proof(text[:end])


def test_what_is_shown_is_one_line_and_says_which_bytes() -> None:
    every = bytes(range(256))
    assert "\n" not in shown(every)
    assert shown(b"a\\b\nc") == "a\\\\b\\x0ac"
    assert shown("naïve 日本 😀".encode()) == "naïve 日本 😀"
    assert shown(b"\xed\xa0\x80\xf4\x90\x80\x80") == "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"
