"""One line proved to an outsider, and the proof checked offline with the node's public key and nothing else.

A proof is made of four things that lie in four places: the line's entry and its batch (segment or journal), the batch
leaf hashes of its flush (ledger), the flush's log entry and its path (log), the signed checkpoint. It is checked before
it is handed out, so a damaged vault makes no proofs.

What a checked proof says: the holder of the key committed to this line, at this number of this stream, when it signed
the checkpoint. It does not say that others saw the same checkpoint: there is no witness policy yet, so every answer is
"unwitnessed".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.formats.batches import batch_leaf, parse_header
from holdfast.formats.checkpoints import open_checkpoint
from holdfast.formats.entries import FlushEntry, parse_entry
from holdfast.formats.notes import parse_vkey
from holdfast.formats.proofs import LineProof, TlogProof, parse_line_proof
from holdfast.formats.records import Record
from holdfast.kernel.errors import ConflictError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.rules import merkle
from holdfast.vault.consulting import LogReader


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """What a proof proves. `log_index` and `log_size` place the flush under the checkpoint of `origin`."""

    environment: EnvironmentName
    stream: Stream
    node: NodeName
    line: int
    record: Record
    flush: int
    flush_time: Instant
    origin: str
    log_index: int
    log_size: int
    witnesses: tuple[str, ...] = ()

    @property
    def witness(self) -> str:
        """Who else saw the checkpoint: `unwitnessed`, or their names."""
        return ", ".join(self.witnesses) or "unwitnessed"


def find_flush(log: LogReader, flush: int) -> int:
    """The log index of a flush. A node's log holds its flushes in rising order and nothing else.

    ConflictError `flush-not-logged` if it is not there (yet), VerificationError if the log is damaged.
    """
    low, high = 0, log.size
    while low < high:
        middle = (low + high) // 2
        found = _flush_entry(log.entry(middle)).flush
        if found == flush:
            return middle
        low, high = (middle + 1, high) if found < flush else (low, middle)
    raise ConflictError("flush-not-logged", "a flush is not in the log", flush=flush, size=log.size)


def _flush_entry(data: bytes) -> FlushEntry:
    entry = parse_entry(data)
    if not isinstance(entry, FlushEntry):
        raise VerificationError("log-entry-kind", "a node's log holds something else than flushes")
    return entry


def make_proof(
    log: LogReader,
    *,
    flush: int,
    entry: bytes,
    index: int,
    line_leaves: Sequence[bytes],
    header: bytes,
    batch_salt: bytes,
    batch_leaves: Sequence[bytes],
) -> bytes:
    """The text of the proof of one line.

    `entry` is salt ‖ record of the line at `index` of its batch, `line_leaves` the leaf hashes of all its lines;
    `header` and `batch_salt` are the batch's, `batch_leaves` the leaf hashes of all batches of the flush, in order.
    ConflictError if the flush is not in the log yet, VerificationError if the pieces do not fit together.
    """
    leaf = batch_leaf(batch_salt, header)
    if leaf not in batch_leaves:
        raise VerificationError("proof-batch", "a batch is not in its flush", flush=flush)
    batch_index = list(batch_leaves).index(leaf)
    log_index = find_flush(log, flush)
    proof = LineProof(
        entry=entry,
        index=index,
        path=tuple(merkle.inclusion_path(line_leaves, index)),
        batch_salt=batch_salt,
        header=parse_header(header),
        batch_index=batch_index,
        batch_path=tuple(merkle.inclusion_path(batch_leaves, batch_index)),
        flush=_flush_entry(log.entry(log_index)),
        log=TlogProof(log_index, tuple(log.inclusion(log_index)), log.note),
    )
    text = proof.encode()
    check_proof(text, log.verifier.vkey())
    return text


def check_proof(text: bytes, vkey: str) -> CheckedLine:
    """What the proof proves, if every step holds and the checkpoint is signed by the key.

    MalformedError if proof or key does not read, VerificationError, saying which step, if one does not hold.
    """
    verifier = parse_vkey(vkey)
    proof = parse_line_proof(text)
    header, flush, log = proof.header, proof.flush, proof.log
    checkpoint = open_checkpoint(log.checkpoint, verifier)
    if not header.node == flush.node == checkpoint.origin.rpartition("/")[2]:
        raise VerificationError("proof-node", "batch, flush and checkpoint of a proof name different nodes")
    _step("line", proof.entry, proof.index, header.count, proof.path, header.root)
    batch_entry = proof.batch_salt + header.encode()
    _step("batch", batch_entry, proof.batch_index, flush.batches, proof.batch_path, flush.root)
    _step("flush", flush.encode(), log.index, checkpoint.size, log.path, checkpoint.root)
    return CheckedLine(
        environment=header.environment,
        stream=header.stream,
        node=header.node,
        line=proof.line,
        record=proof.record(),
        flush=flush.flush,
        flush_time=flush.time,
        origin=checkpoint.origin,
        log_index=log.index,
        log_size=checkpoint.size,
    )


def _step(step: str, entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    try:
        merkle.verify_inclusion(merkle.leaf_hash(entry), index, size, path, root)
    except VerificationError as error:
        raise VerificationError(error.code, error.message, step=step) from None
