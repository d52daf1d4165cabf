"""One frame of the journal recomputed: ciphertexts → records → batch roots → headers → leaf hashes in its directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.batches import BatchHeader, batch_leaf, parse_header
from holdfast.formats.frames import BatchBody, FrameHead
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.names import KeyId, NodeName, key_id
from holdfast.rules.batching import batch_roots
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


def check_frame(
    journal_file: JournalFile,
    context: bytes,
    head: FrameHead,
    ciphers: Mapping[KeyId, AESGCM],
    node: NodeName,
    name: str,
) -> list[BatchCheck]:
    """Recompute the batches of a frame, all their lines at once. Damage is reported, never raised."""
    checks = [BatchCheck() for _ in range(len(head.directory))]
    opened: list[tuple[int, BatchHeader, BatchBody]] = []
    for index, check in enumerate(checks):
        where = f"flush {head.flush}, batch {index}"
        row = head.directory[index]
        cipher = ciphers.get(key_id(bytes(row["key"]).hex()))
        if cipher is None:
            check.findings.append(Finding("journal-key", f"the keeper does not hold the key of {where}", name, node))
            continue
        try:
            body = journal_file.body(context, head, index, cipher)
            header = parse_header(body.header)
        except HoldfastError as error:
            check.findings.append(Finding(error.code, f"{error.message}: {where}", name, node))
            continue
        if batch_leaf(body.salt, body.header) != bytes(row["leaf"]) or header.node != node:
            says = f"{where} is not the batch that was committed"
            check.findings.append(Finding("batch-leaf", says, name, node, *_place(header)))
            continue
        check.header = header
        opened.append((index, header, body))
    for (index, header, body), root in zip(opened, _roots([body for _, _, body in opened]), strict=True):
        if root == header.root and len(body.lengths) == header.count:
            checks[index].proved = header.count
        else:
            says = f"the lines of flush {head.flush}, batch {index} are not those that were committed"
            checks[index].findings.append(Finding("batch-root", says, name, node, *_place(header)))
    return checks


def _roots(bodies: Sequence[BatchBody]) -> list[bytes]:
    if not bodies:
        return []
    records = pa.concat_arrays([records_of(body) for body in bodies])
    return batch_roots([body.secret for body in bodies], [len(body.lengths) for body in bodies], records)


def _place(header: BatchHeader) -> tuple[str, str, int, int]:
    return header.environment, header.stream.value, header.first, header.first + header.count - 1
