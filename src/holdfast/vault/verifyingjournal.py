"""One batch of the journal recomputed: ciphertext → records → batch root → header → the leaf hash in the directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.batches import BatchHeader, parse_header
from holdfast.formats.frames import BatchBody, FrameHead
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.names import KeyId, NodeName, key_id
from holdfast.rules.batching import batch_leaf, batch_roots
from holdfast.vault.findings import Finding
from holdfast.vault.journalreading import JournalFile


@dataclass(slots=True)
class BatchCheck:
    """What one batch showed: its header if that is the committed one, and the lines that were recomputed."""

    header: BatchHeader | None = None
    proved: int = 0
    findings: list[Finding] = field(default_factory=list)


def records_of(body: BatchBody) -> pa.LargeBinaryArray:
    """The records of a batch, one by one."""
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(body.lengths)))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(body.records)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(body.lengths), buffers)


def check_journal_batch(
    journal_file: JournalFile,
    context: bytes,
    head: FrameHead,
    index: int,
    ciphers: Mapping[KeyId, AESGCM],
    node: NodeName,
    name: str,
) -> BatchCheck:
    """Recompute a batch. Damage is reported, never raised."""
    check = BatchCheck()
    row = head.directory[index]
    where = f"flush {head.flush}, batch {index}"
    cipher = ciphers.get(key_id(bytes(row["key"]).hex()))
    if cipher is None:
        check.findings.append(Finding("journal-key", f"the keeper does not hold the key of {where}", name, node))
        return check
    try:
        body = journal_file.body(context, head, index, cipher)
        header = parse_header(body.header)
    except HoldfastError as error:
        check.findings.append(Finding(error.code, f"{error.message}: {where}", name, node))
        return check
    first, last = header.first, header.first + header.count - 1
    place = (header.environment, header.stream.value, first, last)
    if batch_leaf(body.salt, body.header) != bytes(row["leaf"]) or header.node != node:
        check.findings.append(Finding("batch-leaf", f"{where} is not the batch that was committed", name, node, *place))
        return check
    check.header = header
    if len(body.lengths) == header.count and batch_roots([body.secret], [header.count], records_of(body)) == [
        header.root
    ]:
        check.proved = header.count
    else:
        check.findings.append(
            Finding("batch-root", f"the lines of {where} are not those that were committed", name, node, *place)
        )
    return check
