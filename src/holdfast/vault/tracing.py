"""One line found in what is held, with everything that its proof is made of.

The line's batch lies in a segment or in the journal; which flush the batch is a leaf of is found in the journal's
directories or in the ledger. Nothing here decides who may see the line: whoever calls holds the key that opens it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import ledgers, records
from holdfast.formats.batches import SALT, batch_leaf, line_salts
from holdfast.formats.frames import STATE
from holdfast.formats.segments import SegmentReader
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.names import Installation, KeyId, NodeName
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.batching import line_leaves
from holdfast.vault.consulting import LogReader
from holdfast.vault.journalreading import JournalFile
from holdfast.vault.ports import Store
from holdfast.vault.proving import make_proof
from holdfast.vault.readingports import JournalFolder, ObjectStore
from holdfast.vault.verifyingjournal import records_of


@dataclass(frozen=True, slots=True)
class Traced:
    """A line's batch: header and salt of its entry, the batch secret, its records, and the line's place among them."""

    header: bytes
    salt: bytes
    secret: bytes = field(repr=False)
    lines: pa.LargeBinaryArray
    index: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where a node keeps what a proof needs."""

    installation: Installation
    node: NodeName
    journal: JournalFolder
    ledger: Store


def trace_sealed(places: Places, store: ObjectStore, entry: SegmentEntry, key: Secret, line: int) -> Traced:
    """The line out of a segment that holds it. VerificationError if the segment is damaged."""
    with store.open(entry.name) as source:
        reader = SegmentReader(source, key, places.installation, entry.name)
        batch = reader.batches[reader.batches.holding(line)]
        table = reader.table(batch.header.first, batch.header.count)
    lines = records.encode(table)
    return Traced(batch.header.encode(), batch.salt, batch.secret, lines, line - batch.header.first)


def trace_journal(places: Places, keys: Mapping[KeyId, Secret], line: int) -> Traced:
    """The line out of the journal, under one of its stream's keys. ConflictError `line-unknown` if it is not there."""
    context = f"{places.installation}/{places.node}".encode()
    wanted = {bytes.fromhex(held): key for held, key in keys.items()}
    for number in places.journal.numbers():
        with places.journal.open(number) as source:
            journal_file = JournalFile(source, number)
            for head in journal_file.heads(torn_tail=True):
                for index, row in enumerate(head.directory):
                    first, count = int(row["first"]), int(row["count"])
                    if row["flags"] & STATE or not first <= line < first + count or bytes(row["key"]) not in wanted:
                        continue
                    cipher = AESGCM(wanted[bytes(row["key"])].reveal())
                    body = journal_file.body(context, head, index, cipher)
                    return Traced(body.header, body.salt, body.secret, records_of(body), line - first)
    raise ConflictError("line-unknown", "the stream holds no line of this number", line=line)


def prove(places: Places, log: LogReader, traced: Traced) -> bytes:
    """The text of the line's proof. ConflictError `flush-not-logged` if its log entry is still to come: ask again."""
    leaf = batch_leaf(traced.salt, traced.header)
    flush, batch_leaves = _flush_of(places, leaf)
    at = SALT * traced.index
    salts = line_salts(traced.secret, len(traced.lines))
    return make_proof(
        log,
        flush=flush,
        entry=salts[at : at + SALT] + traced.lines[traced.index].as_py(),
        index=traced.index,
        line_leaves=line_leaves([traced.secret], [len(traced.lines)], traced.lines),
        header=traced.header,
        batch_salt=traced.salt,
        batch_leaves=batch_leaves,
    )


def _flush_of(places: Places, leaf: bytes) -> tuple[int, list[bytes]]:
    for number in reversed(places.journal.numbers()):
        with places.journal.open(number) as source:
            for head in JournalFile(source, number).heads(torn_tail=True):
                if leaf in (leaves := head.leaves()):
                    return head.flush, leaves
    for name in places.ledger.names():
        if name.endswith(".leaves") and ledgers.flushes_of(name):
            with places.ledger.open(name) as source:
                for flush in ledgers.read_leaves(source, name):
                    if leaf in (leaves := flush.each()):
                        return flush.flush, leaves
    raise ConflictError("batch-unknown", "no flush is known that holds the line's batch")
