"""The ledger of the journal files being sealed: made once per file, before its keys are destroyed (formats.ledgers)."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from holdfast.formats import ledgers
from holdfast.formats.batches import BatchHeader
from holdfast.formats.ledgers import FlushHeaders, FlushLeaves
from holdfast.kernel.errors import VerificationError
from holdfast.vault.journalreading import journal_name
from holdfast.vault.ports import Store
from holdfast.vault.sealingplans import FlushFrame, Plan


def write_ledger(sealing: Plan, flushes: Sequence[FlushFrame], ledger: Store) -> None:
    """Both ledger objects of a journal file are there: made now, or found saying the same (else VerificationError)."""
    if not flushes:
        return
    first, last = flushes[0].head.flush, flushes[-1].head.flush
    name = ledgers.leaves_name(first, last)
    if ledger.exists(name):
        with ledger.open(name) as source:
            _require_same(name, ledgers.read_leaves(source, name), _leaves(flushes))
    else:
        with ledger.writing(name) as sink:
            ledgers.write_leaves(sink, _leaves(flushes))
    name = ledgers.headers_name(first, last)
    if ledger.exists(name):
        with ledger.open(name) as source:
            _require_same(name, ledgers.read_headers(source, name), _headers(sealing, flushes))
    else:
        with ledger.writing(name) as sink:
            ledgers.write_headers(sink, _headers(sealing, flushes))


def require_ledger(flushes: Sequence[FlushFrame], ledger: Store) -> None:
    """A journal file whose keys are gone was sealed, so its ledger is there; if it is not, the file is evidence."""
    first, last = flushes[0].head.flush, flushes[-1].head.flush
    if not (ledger.exists(ledgers.leaves_name(first, last)) and ledger.exists(ledgers.headers_name(first, last))):
        raise VerificationError(
            "journal-keys-gone",
            "the keys of a journal file are gone and the ledger does not hold its flushes",
            object=journal_name(flushes[0].number),
        )


def _leaves(flushes: Sequence[FlushFrame]) -> Iterator[FlushLeaves]:
    for frame in flushes:
        yield FlushLeaves(frame.head.flush, frame.head.time, frame.head.directory["leaf"].tobytes())


def _headers(sealing: Plan, flushes: Sequence[FlushFrame]) -> Iterator[FlushHeaders]:
    for frame in flushes:
        rows = range(frame.base, frame.base + len(frame.head.directory))
        yield FlushHeaders(frame.head.flush, [_header(sealing, row) for row in rows])


def _header(sealing: Plan, row: int) -> tuple[bytes, bytes]:
    key, entry, found = sealing.key_of(row), sealing.entries[row], sealing.found[row]
    assert key.stream is not None  # as the plan found it
    header = BatchHeader(
        key.environment,
        key.stream,
        sealing.node,
        int(entry["first"]),
        int(entry["count"]),
        bytes(found["root"]),
        bytes(found["previous"]) if found["follows"] else b"",
    )
    return bytes(found["salt"]), header.encode()


def _require_same(name: str, held: Iterator[object], wanted: Iterator[object]) -> None:
    if any(a != b for a, b in zip_longest(held, wanted)):
        raise VerificationError("ledger-differs", "a ledger object says something else than the journal", object=name)
