"""One node recomputed: its log, the leaf hashes behind every flush of it, and the lines its journal still holds.

Damage is reported, never raised. What other objects must be compared with (committed leaf hashes, and where each batch
stands in its stream) is gathered in `Committed`.

The node may go on meanwhile. Lines only ever move from the journal into segments, and the ledger and the catalogue have
them before the journal file goes. So the log is read first, then the journal (`begin`), then, by the caller, the
catalogue, and the ledger last (`end`): what the log commits to is in one of them, whatever was sealed in between.
"""

import contextlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import ledgers
from holdfast.formats.entries import FlushEntry, parse_entry
from holdfast.formats.frames import STATE, FrameHead
from holdfast.formats.ledgers import FlushHeaders, FlushLeaves
from holdfast.formats.notes import NoteVerifier
from holdfast.kernel.errors import HoldfastError, MalformedError
from holdfast.kernel.names import Installation, KeyId, NodeName, key_id
from holdfast.kernel.secrets import Secret
from holdfast.rules.merkle import root
from holdfast.vault.findings import Finding, LogHead, Report
from holdfast.vault.journalreading import JournalFile, journal_name
from holdfast.vault.ports import Store
from holdfast.vault.readingports import JournalFolder
from holdfast.vault.recomputing import verify_log
from holdfast.vault.verifyingjournal import check_frame

F = TypeVar("F", FlushLeaves, FlushHeaders)
Keys = Callable[[Sequence[KeyId]], Mapping[KeyId, Secret]]
"""Data keys by id; destroyed and unknown ones are left out."""
BATCH = tuple[int, int, bytes, bytes]
"""first, count, leaf hash of the batch entry, `previous` of its header"""
Chains = dict[tuple[str, str, str], list[BATCH]]
"""Every batch whose header was read, by (node, environment, stream)."""


@dataclass(frozen=True, slots=True)
class NodeVault:
    """One node's part of the vault. `store` is the store of its hosting."""

    node: NodeName
    verifier: NoteVerifier
    log: Store
    journal: JournalFolder
    ledger: Store
    store: str


@dataclass(slots=True)
class Committed:
    """What a node's log commits to. `roots`: flush → (batches, root); `leaves`: leaf hash of a batch entry → flush;
    `found`: the leaves whose lines were seen."""

    roots: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    leaves: dict[bytes, int] = field(default_factory=dict)
    found: set[bytes] = field(default_factory=set)
    flushes: set[int] = field(default_factory=set)
    wrong: set[int] = field(default_factory=set)
    owed: set[int] = field(default_factory=set)
    """Flushes whose lines must be there: those of the log, and those the ledger had before it was read."""
    keyless: list[tuple[bytes, Finding]] = field(default_factory=list)
    """Batches in the journal whose key is gone, and what to say of each if no segment holds its lines."""


class NodeCheck:
    """Checks one node: `begin`, then, once the catalogue is read, `end`."""

    def __init__(self, node: NodeVault, report: Report, chains: Chains, progress: Callable[[int], None]) -> None:
        self._node, self._report, self._chains, self._progress = node, report, chains, progress
        self.committed = Committed()
        self._settled: frozenset[str] = frozenset()
        self._unlogged: set[int] = set()

    def begin(self, installation: Installation, keys: Keys) -> None:
        """Log and journal."""
        # A flush is in the log before the ledger gets it, so what the ledger holds now the log read next must hold.
        self._settled = frozenset(self._node.ledger.names())
        self._log()
        self._journal(f"{installation}/{self._node.node}".encode(), keys)

    def end(self) -> Committed:
        """The ledger, and every flush: all but what only segments can show."""
        self._leaves(self._settled)
        self._headers(self._settled)
        self._flushes()
        self._report.unlogged += len(self._unlogged - self.committed.roots.keys())
        return self.committed

    def _found(self, code: str, says: str, where: str) -> None:
        self._report.findings.append(Finding(code, says, where, self._node.node))

    def _log(self) -> None:
        found = verify_log(self._node.log, self._node.verifier, self._entries)
        head = found.checkpoint
        self._report.logs[self._node.node] = LogHead(
            self._node.verifier.vkey(), head.size if head else 0, head.root.hex() if head else "", found.entries
        )
        for one in found.damages:
            entries = f" (log entries {one.first} to {one.last})" if one.last >= one.first else ""
            self._found(one.code, one.problem + entries, f"log/{one.object}")
        self._report.flushes += len(self.committed.roots)

    def _entries(self, first: int, entries: Sequence[bytes | None]) -> None:
        for at, data in enumerate(entries):
            try:
                entry = parse_entry(data) if data is not None else None
            except MalformedError:
                entry = None
            if isinstance(entry, FlushEntry):
                if entry.flush in self.committed.roots:
                    self._found("flush-twice", "a flush is in the log twice", f"log entry {first + at}")
                self.committed.owed.add(entry.flush)
                self.committed.roots[entry.flush] = entry.batches, entry.root

    def _leaves(self, settled: Container[str]) -> None:
        """The leaf hashes of the ledger against the log; every flush of a `settled` object must be there."""
        for name in self._node.ledger.names():
            where = f"ledger/{name}"
            if ledgers.flushes_of(name) is None:
                self._found("object-unknown", "no ledger object is called that", where)
            elif name.endswith(".leaves"):
                with self._reading(where), self._node.ledger.open(name) as source:
                    for flush in self._named(where, name, ledgers.read_leaves(source, name)):
                        self._flush(where, flush.flush, flush.each(), settled=name in settled)

    def _headers(self, settled: Container[str]) -> None:
        """The batch headers of the ledger against its leaf hashes: `settled` ones have headers beside them."""
        names = frozenset(self._node.ledger.names())
        for name in sorted(names):
            beside = name.removesuffix(".leaves") + ".headers"
            if name.endswith(".leaves") and name in settled and beside not in names:
                self._found(
                    "headers-missing", "the batch headers that belong to these leaf hashes are gone", f"ledger/{beside}"
                )
        for name in sorted(names):
            where = f"ledger/{name}"
            if ledgers.flushes_of(name) is not None and name.endswith(".headers"):
                with self._reading(where), self._node.ledger.open(name) as source:
                    for flush in self._named(where, name, ledgers.read_headers(source, name)):
                        known = {self.committed.leaves.get(leaf) for leaf in flush.leaves()}
                        if known != {flush.flush} and flush.flush not in self.committed.wrong:
                            says = f"the headers of flush {flush.flush} are not those of its batches"
                            self._found("flush-headers", says, where)

    def _named(self, where: str, name: str, flushes: Iterator[F]) -> Iterator[F]:
        """The flushes of a ledger object, which must be those it is named for, in order."""
        numbers = []
        for flush in flushes:
            numbers.append(flush.flush)
            yield flush
        first, last = ledgers.flushes_of(name) or (0, -1)
        if numbers != list(range(first, last + 1)):
            self._found("ledger-flushes", "a ledger object does not hold the flushes that it is named for", where)

    @contextlib.contextmanager
    def _reading(self, where: str) -> Iterator[None]:
        try:
            yield
        except HoldfastError as error:
            self._found(error.code, error.message, where)

    def _flush(self, where: str, flush: int, leaves: Sequence[bytes], *, settled: bool = False) -> None:
        """Compare a flush's leaf hashes with its log entry, which must be there if the flush is settled."""
        logged = self.committed.roots.get(flush)
        if logged is None and settled:
            self._found("flush-unlogged", f"flush {flush} is in the ledger, and the log does not hold it", where)
            self.committed.owed.add(flush)
        elif logged is None:
            self._unlogged.add(flush)
        elif logged != (len(leaves), root(leaves)):
            self._found("flush-root", f"flush {flush} is not the one that the log commits to", where)
            self.committed.wrong.add(flush)
            return
        self.committed.flushes.add(flush)
        for leaf in leaves:
            self.committed.leaves[leaf] = flush

    def _journal(self, context: bytes, keys: Keys) -> None:
        numbers = list(self._node.journal.numbers())
        for number in numbers:
            name = f"journal/{journal_name(number)}"
            try:
                with self._node.journal.open(number) as source:
                    journal_file = JournalFile(source, number)
                    heads = list(journal_file.heads(torn_tail=number == numbers[-1]))
                    ciphers = _ciphers(keys, heads)
                    for head in heads:
                        self._frame(journal_file, name, context, head, ciphers)
            except HoldfastError as error:
                if number not in self._node.journal.numbers():
                    continue  # sealed a moment ago: the catalogue has what it held
                at = f" at byte {error.fields['offset']}" if "offset" in error.fields else ""
                self._found(error.code, error.message + at, name)

    def _frame(
        self, journal_file: JournalFile, name: str, context: bytes, head: FrameHead, ciphers: Mapping[KeyId, AESGCM]
    ) -> None:
        if not journal_file.holds(head):
            says = f"a frame is not what was written: flush {head.flush} at byte {head.offset}"
            self._found("journal-damaged", says, name)
        if len(head.directory) and head.directory["flags"][0] & STATE:
            return  # the node's state: no lines, and no part of any flush
        self._flush(name, head.flush, head.leaves())
        checks = check_frame(journal_file, context, head, ciphers, self._node.node, name)
        for index, check in enumerate(checks):
            if any(finding.code == "journal-key" for finding in check.findings):
                self.committed.keyless += [(bytes(head.directory["leaf"][index]), one) for one in check.findings]
            else:
                self._report.findings += check.findings
            if check.header is not None:
                header, leaf = check.header, bytes(head.directory["leaf"][index])
                batch = (header.first, header.count, leaf, header.previous)
                self._chains.setdefault((self._node.node, header.environment, header.stream.value), []).append(batch)
                self.committed.found.add(leaf)
                self._report.batches += 1
                self._report.proved(header.environment, header.stream, check.proved)
                self._progress(check.proved)

    def _flushes(self) -> None:
        """Every flush of the log must have its leaf hashes in ledger or journal."""
        roots = self.committed.roots
        for first, last in _runs(sorted(set(roots) - self.committed.flushes - self.committed.wrong)):
            says = f"flushes {first} to {last} are in the log, but neither in the ledger nor in the journal"
            self._found("flush-missing", says, "ledger and journal")
        if roots and (min(roots) != 0 or max(roots) + 1 != len(roots)):
            self._found("flush-numbering", "the log's flushes are not numbered without a gap", "log")


def _ciphers(keys: Keys, heads: Sequence[FrameHead]) -> Mapping[KeyId, AESGCM]:
    ids = sorted({key_id(bytes(key).hex()) for head in heads for key in head.directory["key"]})
    return {held: AESGCM(key.reveal()) for held, key in keys(ids).items()}


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = None
    for at, number in enumerate(numbers):
        first = number if first is None else first
        if at + 1 == len(numbers) or numbers[at + 1] != number + 1:
            yield first, number
            first = None
