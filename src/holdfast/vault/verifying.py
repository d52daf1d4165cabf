"""Everything held, recomputed from stored bytes (design, Commands: verify).

Per node: checkpoint signature → tiles → log entries; every flush root from the leaf hashes of ledger and journal; every
line of journal and segments → batch root → header → a leaf of a flush. Then across them: each committed batch is there
once, each stream is numbered without a gap and each batch points to the one before, no object is unaccounted for.
The catalogue is believed in nothing: it says which key opens which object, and is itself compared.

A vault may be written meanwhile, and what is found then is damage all the same: see `verifyingnodes` for the order in
which things are read. An object nobody knows may be a segment that is being sealed: it is looked at again, for as long
as `settling` says that one is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from holdfast.formats import ledgers
from holdfast.formats.batches import parse_header
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.names import Installation
from holdfast.kernel.segments import SegmentEntry
from holdfast.vault.findings import Finding, Report
from holdfast.vault.ports import Store
from holdfast.vault.verifyingkeeper import KeeperVault, check_keeper
from holdfast.vault.verifyingnodes import BATCH, Chains, Committed, Keys, NodeCheck, NodeVault
from holdfast.vault.verifyingsegments import SegmentCheck, check_segment

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Vault:
    """All of it. `catalogue` maps object names to rows, as of when it is called; `stores` are by `vendor-region`;
    `settling` waits a little, and says whether it is worth looking again."""

    installation: Installation
    nodes: Sequence[NodeVault]
    stores: Mapping[str, Store]
    catalogue: Callable[[], Mapping[str, SegmentEntry]]
    keys: Keys
    settling: Callable[[], bool] = lambda: False
    keeper: KeeperVault | None = None
    """The keeper's own log and the events behind it, recomputed too."""


def verify(vault: Vault, progress: Callable[[int], None], executor: Executor | None = None) -> Report:
    """Recompute the vault. Everything that does not hold is in the report; nothing is raised for damage.

    `progress` is told how many lines were proved since the last call. With an executor segments are checked side by
    side.
    """
    report, chains = Report(), Chains()
    checks = {node.node: NodeCheck(node, report, chains, progress) for node in vault.nodes}
    for node_check in checks.values():
        node_check.begin(vault.installation, vault.keys)
    catalogue = vault.catalogue()
    committed = {name: node_check.end() for name, node_check in checks.items()}
    unknown: list[tuple[str, str]] = []
    for check in _segments(vault, catalogue, unknown, report, executor):
        entry = check.entry
        report.findings += check.findings
        report.segments += 1
        report.batches += len(check.batches)
        report.proved(entry.environment, entry.stream, check.proved)
        progress(check.proved)
        chains.setdefault((entry.node, entry.environment, entry.stream.value), []).extend(check.batches)
        _claim(committed.get(entry.node), check, report)
    _chains(chains, report)
    for node in vault.nodes:
        _missing(node, committed[node.node], report)
    _unknown(vault, unknown, report)
    if vault.keeper is not None:
        check_keeper(vault.keeper, report)
    return report


def _segments(
    vault: Vault,
    catalogue: Mapping[str, SegmentEntry],
    unknown: list[tuple[str, str]],
    report: Report,
    executor: Executor | None,
) -> Iterator[SegmentCheck]:
    work = _objects(vault, catalogue, unknown, report)
    for begin in range(0, len(work), _AT_ONCE):
        part = work[begin : begin + _AT_ONCE]
        keys = vault.keys([entry.key for _, entry in part])
        jobs = []
        for store, entry in part:
            key = keys.get(entry.key)
            if key is None:
                check = SegmentCheck(entry)
                check.found_whole("segment-key", "the keeper does not hold the segment's key")
                yield check
            elif executor is None:
                yield check_segment(store.open, entry, key.reveal(), vault.installation)
            else:
                jobs.append(executor.submit(check_segment, store.open, entry, key.reveal(), vault.installation))
        for job in jobs:
            yield job.result()


def _objects(
    vault: Vault, catalogue: Mapping[str, SegmentEntry], unknown: list[tuple[str, str]], report: Report
) -> list[tuple[Store, SegmentEntry]]:
    """Every catalogued object where it lies; what is in the catalogue alone is reported, what is in a store alone
    noted in `unknown`."""
    homes: dict[str, str] = {}
    for store_name, store in vault.stores.items():
        for name in store.names():
            where = f"{store_name}/{name}"
            if name not in catalogue:
                unknown.append((store_name, name))
            elif name in homes:
                report.findings.append(Finding("object-twice", "the object is in two stores", where))
            else:
                homes[name] = store_name
    expected = {node.node: node.store for node in vault.nodes}
    work: list[tuple[Store, SegmentEntry]] = []
    for name, entry in catalogue.items():
        check = SegmentCheck(entry)
        if name not in homes:
            check.found_whole("segment-missing", "the object is not in any store")
        else:
            if expected.get(entry.node) != homes[name]:
                check.found_whole("store-hosting", "the object lies on another hosting than its node's")
            work.append((vault.stores[homes[name]], entry))
        report.findings += check.findings
    return work


def _unknown(vault: Vault, objects: Sequence[tuple[str, str]], report: Report) -> None:
    """Objects that the catalogue did not hold, unless they have come into it or are gone by now."""
    left = list(objects)
    while left:
        known, held = vault.catalogue(), {name: frozenset(store.names()) for name, store in vault.stores.items()}
        left = [(store, name) for store, name in left if name not in known and name in held[store]]
        if not left or not vault.settling():
            break
    for store, name in left:
        says = "the catalogue does not hold this object"
        report.findings.append(Finding("object-unknown", says, f"{store}/{name}"))


def _claim(ours: Committed | None, check: SegmentCheck, report: Report) -> None:
    """Each batch of a segment must be a leaf of a flush of its node."""
    before = len(check.findings)
    if ours is None:
        check.found_whole("node-unknown", "the segment names a node that is not known")
    else:
        for first, count, leaf, _previous in check.batches:
            if leaf in ours.leaves:
                ours.found.add(leaf)
            else:
                check.found("batch-uncommitted", "a batch is in no flush of the log", first, first + count - 1)
    report.findings += check.findings[before:]


def _chains(chains: Chains, report: Report) -> None:
    """Numbering from 0 without a gap, each batch pointing to the one before; in journal and segment both, it is one."""
    for (node, environment, stream), batches in chains.items():
        following, previous = 0, b""
        last: BATCH | None = None
        for batch in sorted(batches, key=lambda one: one[:3]):
            if batch == last:
                continue
            first, count, leaf, before = batch
            if first != following:
                low, high = min(first, following), max(first, following) - 1
                says = "lines are missing" if first > following else "lines are numbered twice"
                report.findings.append(Finding("numbering", says, "stream", node, environment, stream, low, high))
            elif before != previous:
                says, high = "a batch does not point to the one before it", first + count - 1
                report.findings.append(Finding("chain", says, "stream", node, environment, stream, first, high))
            following, previous, last = first + count, leaf, batch


def _missing(node: NodeVault, ours: Committed, report: Report) -> None:
    """Batches that a flush commits to and whose lines are nowhere, named by the ledger's headers where it has them."""
    report.findings += [finding for leaf, finding in ours.keyless if leaf not in ours.found]
    lost = {leaf for leaf, flush in ours.leaves.items() if leaf not in ours.found and flush in ours.owed}
    for name in node.ledger.names() if lost else ():
        if not name.endswith(".headers") or ledgers.flushes_of(name) is None:
            continue
        try:
            with node.ledger.open(name) as source:
                for flush in ledgers.read_headers(source, name):
                    for leaf, (_salt, data) in zip(flush.leaves(), flush.entries, strict=True):
                        if leaf in lost:
                            lost.discard(leaf)
                            report.findings.append(_gone(node, data))
        except HoldfastError:
            continue  # said already, when the ledger was read
    if lost:
        says = f"{len(lost)} batches are in the log, and neither their lines nor their headers are to be read"
        report.findings.append(Finding("batch-missing", says, "segments and journal", node.node))


def _gone(node: NodeVault, data: bytes) -> Finding:
    header = parse_header(data)
    place = (header.environment, header.stream.value, header.first, header.first + header.count - 1)
    says = "the lines of a committed batch are nowhere to be read"
    return Finding("batch-missing", says, "segments and journal", node.node, *place)
