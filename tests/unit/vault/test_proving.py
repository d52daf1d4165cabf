"""One line proved and checked offline: what holds, and that every changed byte is noticed."""

import hashlib
from dataclasses import replace

import pytest
from tests.support.logs import SIGNER, VERIFIER

from holdfast.drivers.memory import MemoryStore
from holdfast.formats.batches import BatchHeader, line_salts
from holdfast.formats.entries import FlushEntry
from holdfast.formats.notes import signer
from holdfast.formats.proofs import parse_line_proof
from holdfast.kernel.errors import ConflictError, MalformedError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.rules import merkle
from holdfast.vault.consulting import LogReader
from holdfast.vault.integrating import TileLog
from holdfast.vault.proving import check_proof, find_flush, make_proof

NODE = NodeName("n1")
TIME = Instant(1_800_000_000_000_000_000)
SALT = b"\x07" * 16


class Flushed:
    """Three hundred flushes of two batches, one of them with `count` known lines."""

    def __init__(self, count: int, node: str = "n1") -> None:
        records = [b"%d\x1f0\x1f6\x1fweb-1\x1fnginx\x1f\x1f\x1fGET /%d" % (TIME, i) for i in range(count)]
        salts = line_salts(b"s" * 32, count)
        self.entries = [salts[16 * i : 16 * i + 16] + record for i, record in enumerate(records)]
        self.leaves = merkle.leaf_hashes(self.entries)
        self.header = BatchHeader(
            EnvironmentName("acme/main"), Stream.APP, NodeName(node), 4000, count, merkle.root(self.leaves), b""
        ).encode()
        self.batches = [merkle.leaf_hash(b"another batch"), merkle.leaf_hash(SALT + self.header)]
        self.flushes = [
            FlushEntry(NODE, TIME, 5 + i, 2, merkle.root(self.batches) if i == 200 else hashlib.sha256().digest())
            for i in range(300)
        ]
        store = MemoryStore()
        log = TileLog(store, SIGNER)
        log.append([flush.encode() for flush in self.flushes])
        self.log = LogReader(store, VERIFIER)

    def proof(self, index: int, flush: int = 205) -> bytes:
        return make_proof(
            self.log,
            flush=flush,
            entry=self.entries[index],
            index=index,
            line_leaves=self.leaves,
            header=self.header,
            batch_salt=SALT,
            batch_leaves=self.batches,
        )


FLUSHED = Flushed(12)


@pytest.mark.parametrize("index", [0, 5, 11])
def test_a_line_is_proved_with_the_public_key_alone(index: int) -> None:
    line = check_proof(FLUSHED.proof(index), VERIFIER.vkey())
    assert (line.environment, line.stream, line.node, line.line) == ("acme/main", Stream.APP, "n1", 4000 + index)
    assert line.record.message == b"GET /%d" % index
    assert (line.flush, line.log_index, line.log_size, line.origin) == (205, 200, 300, "logs.example/n1")
    assert line.witness == "unwitnessed"


def test_the_only_line_of_a_batch_is_proved() -> None:
    assert check_proof(Flushed(1).proof(0), VERIFIER.vkey()).line == 4000


def test_no_byte_of_a_proof_can_be_changed() -> None:
    text = FLUSHED.proof(5)
    for at in range(len(text)):
        for bit in (1, 0x20):
            changed = text[:at] + bytes([text[at] ^ bit]) + text[at + 1 :]
            with pytest.raises((MalformedError, VerificationError)):
                check_proof(changed, VERIFIER.vkey())


def test_no_part_of_a_proof_can_be_taken_from_another() -> None:
    proof, other = parse_line_proof(FLUSHED.proof(5)), parse_line_proof(FLUSHED.proof(6))
    wrong = [
        replace(proof, entry=other.entry),
        replace(proof, index=6),
        replace(proof, path=other.path),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, bytes(32))),
        replace(proof, batch_salt=bytes(16)),
        replace(proof, header=replace(proof.header, first=4001)),
        replace(proof, header=replace(proof.header, environment=EnvironmentName("other/main"))),
        replace(proof, batch_index=0),
        replace(proof, batch_path=()),
        replace(proof, flush=FLUSHED.flushes[199]),
        replace(proof, flush=replace(proof.flush, time=Instant(TIME + 1))),
        replace(proof, log=replace(proof.log, index=201)),
        replace(proof, log=replace(proof.log, path=proof.log.path[1:])),
    ]
    for changed in wrong:
        with pytest.raises(VerificationError):
            check_proof(changed.encode(), VERIFIER.vkey())


def test_another_key_proves_nothing() -> None:
    with pytest.raises(VerificationError, match="note-unverified"):
        check_proof(FLUSHED.proof(0), signer("logs.example/n1", bytes(32)).verifier().vkey())


def test_a_batch_that_names_another_node_is_not_proved_by_this_nodes_key() -> None:
    with pytest.raises(VerificationError, match="proof-node"):
        Flushed(3, node="n2").proof(0)


def test_a_proof_is_not_made_of_pieces_that_do_not_fit() -> None:
    with pytest.raises(VerificationError, match="step=batch"):
        FLUSHED.proof(0, flush=204)
    broken = Flushed(3)
    broken.entries[1] = broken.entries[0]
    with pytest.raises(VerificationError, match="step=line"):
        broken.proof(1)
    broken.batches.pop()
    with pytest.raises(VerificationError, match="proof-batch"):
        broken.proof(0)


def test_every_flush_is_found_and_only_those_there_are() -> None:
    assert [find_flush(FLUSHED.log, flush) for flush in (5, 6, 150, 304)] == [0, 1, 145, 299]
    for flush in (4, 305):
        with pytest.raises(ConflictError, match="flush-not-logged"):
            find_flush(FLUSHED.log, flush)
