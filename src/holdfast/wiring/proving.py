"""One line of what is held on this machine, proved with the operator's keys."""

from holdfast.formats.notes import parse_vkey
from holdfast.kernel.errors import ConflictError, RefusedError
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.vault.consulting import LogReader
from holdfast.vault.tracing import Traced, prove, trace_journal, trace_sealed
from holdfast.wiring.vaults import OpenVault


def prove_line(
    vault: OpenVault, environment: EnvironmentName, stream: Stream, line: int, wanted: str | None = None
) -> bytes:
    """The text of the line's proof; `wanted` names the node where several hold a line of this number.

    ConflictError: `line-unknown`, `line-node` (say which node), `flush-not-logged` and `journal-missing` (ask again
    in a second). RefusedError `key-destroyed` if its segment's key is gone.
    """
    catalogue = vault.catalogue()
    found: list[tuple[NodeName, Traced]] = []
    for known in catalogue.nodes:
        if wanted not in (None, known.name) or known.name not in vault.settings.nodes:
            continue
        places = vault.places(known.name)
        rows = [
            row
            for row in catalogue.segments
            if (row.entry.environment, row.entry.stream, row.entry.node) == (environment, stream, known.name)
            and row.entry.first <= line < row.entry.first + row.entry.count
        ]
        try:
            if rows:
                entry = rows[0].entry
                key = vault.keys([entry.key]).get(entry.key)
                if key is None:
                    raise RefusedError("key-destroyed", "the key was destroyed and is not made again", day=entry.day)
                found.append((known.name, trace_sealed(places, vault.stores()[rows[0].store], entry, key, line)))
            else:
                ids = [
                    key.id
                    for key in catalogue.keys.values()
                    if (key.kind, key.environment, key.stream, key.node) == ("journal", environment, stream, known.name)
                ]
                found.append((known.name, trace_journal(places, vault.keys(ids), line)))
        except ConflictError as error:
            if error.code != "line-unknown":
                raise
    if not found:
        raise ConflictError("line-unknown", "the stream holds no line of this number", line=line)
    if len(found) > 1:
        raise ConflictError("line-node", "several nodes hold a line of this number; say which with --node", line=line)
    [(node, traced)] = found
    [vkey] = [known.vkey for known in catalogue.nodes if known.name == node]
    return prove(vault.places(node), LogReader(vault.log_store(node), parse_vkey(vkey)), traced)
