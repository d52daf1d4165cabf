"""Proofs of lines for those who may read them."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.formats.notes import NoteVerifier
from holdfast.kernel.errors import ConflictError, MalformedError
from holdfast.kernel.names import Installation, NodeName, Stream
from holdfast.vault.consulting import LogReader
from holdfast.vault.ports import Store
from holdfast.vault.readingports import JournalFolder, ObjectStore, Opening
from holdfast.vault.tracing import Places, prove, trace_journal, trace_sealed


@dataclass(frozen=True, slots=True)
class NodeArchive:
    """What a node's proofs are made of."""

    journal: JournalFolder
    ledger: Store
    log: Store
    verifier: NoteVerifier


class LineProver:
    """Satisfies gateway.ports.Prover."""

    def __init__(
        self, installation: Installation, archives: Mapping[NodeName, NodeArchive], stores: Mapping[str, ObjectStore]
    ) -> None:
        self._installation = installation
        self._archives = archives
        self._stores = stores

    def prove(self, opening: Opening, stream: Stream, node: NodeName | None, line: int) -> bytes:
        """The proof of a line of the opened stream."""
        node = node or _only_node(opening)
        archive = self._archives.get(node)
        if archive is None:
            raise ConflictError("line-unknown", "the stream holds no line of this number", line=line)
        places = Places(self._installation, node, archive.journal, archive.ledger)
        log = LogReader(archive.log, archive.verifier)
        for segment in opening.segments:
            entry = segment.entry
            if entry.node == node and entry.first <= line < entry.first + entry.count:
                store = self._stores[segment.store]
                return prove(places, log, trace_sealed(places, store, entry, segment.key, line))
        keys = {key.id: key.key for key in opening.journal if key.node == node}
        return prove(places, log, trace_journal(places, keys, line))


def _only_node(opening: Opening) -> NodeName:
    nodes = {segment.entry.node for segment in opening.segments} | {key.node for key in opening.journal}
    if len(nodes) > 1:
        raise MalformedError("usage", "lines of several nodes are here: name the node too, like n1:4711")
    if not nodes:
        raise ConflictError("stream-empty", "the stream holds no lines")
    return next(iter(nodes))
