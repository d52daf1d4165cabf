"""The keeper recomputed: its own log, and the events behind the commitments in it.

What an event says lies in the keeper's database, which is believed in nothing: each event must unfold, with its salt,
to a commitment in the log; every commitment in the log must have its event; and the events of one environment (or of
none) are numbered from 0, each naming the commitment before, so that one left out shows. Every node's log that was
ever opened must be among those recomputed, so that no node can be left out either. Events that wait to be logged, a
second or so, are let be.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from holdfast.formats.entries import KEEPER, EventEntry, NodeOpened, parse_entry
from holdfast.formats.notes import NoteVerifier
from holdfast.formats.spelling import encode64
from holdfast.kernel.errors import MalformedError
from holdfast.vault.findings import Finding, LogHead, Report
from holdfast.vault.ports import Store
from holdfast.vault.recomputing import verify_log


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """An event as the database has it: its place in its chain, canonical JSON and salt, commitments in base64, and the
    log index it is said to have (None: not logged yet)."""

    number: int
    chain: str
    previous: str
    salt: bytes
    event: bytes
    commitment: str
    index: int | None


@dataclass(frozen=True, slots=True)
class KeeperVault:
    """The keeper's part of the vault. `events` are asked for after the log was read."""

    verifier: NoteVerifier
    log: Store
    events: Callable[[], Iterable[HeldEvent]]


def check_keeper(keeper: KeeperVault, report: Report) -> None:
    """Recompute log and events. Damage is reported, never raised."""
    logged: dict[int, str] = {}
    opened: dict[str, str] = {}

    def entries(first: int, some: Sequence[bytes | None]) -> None:
        for at, data in enumerate(some):
            try:
                entry = parse_entry(data) if data is not None else None
            except MalformedError:
                continue
            if isinstance(entry, EventEntry):
                logged[first + at] = encode64(entry.commitment)
            if isinstance(entry, NodeOpened):
                opened[entry.origin] = entry.vkey

    found = verify_log(keeper.log, keeper.verifier, entries)
    head = found.checkpoint
    size = head.size if head else 0
    report.logs[KEEPER] = LogHead(keeper.verifier.vkey(), size, head.root.hex() if head else "", found.entries)
    for one in found.damages:
        where = f" (log entries {one.first} to {one.last})" if one.last >= one.first else ""
        report.findings.append(Finding(one.code, one.problem + where, f"keeper/log/{one.object}"))
    recomputed = {log.vkey for log in report.logs.values()}
    for origin, vkey in opened.items():
        if vkey not in recomputed:
            says = "a node's log was opened under a key with which no log here was recomputed"
            report.findings.append(Finding("node-missing", says, f"keeper/log, node {origin}"))
    _events(sorted(keeper.events(), key=lambda event: (event.chain, event.number)), logged, size, report)


def _events(events: Sequence[HeldEvent], logged: dict[int, str], size: int, report: Report) -> None:
    before: HeldEvent | None = None
    held: set[str] = set()
    for event in events:
        where = f"keeper/events, number {event.number} of {event.chain or 'the installation'}"
        commitment = encode64(sha256(event.salt + event.event).digest())
        held.add(commitment)
        lost = event.index is not None and event.index < size and logged.get(event.index) != commitment
        if commitment != event.commitment or lost:
            report.findings.append(Finding("event-changed", "an event is not the one in the keeper's log", where))
        follows = before if before is not None and before.chain == event.chain else None
        expected = (follows.number + 1, follows.commitment) if follows else (0, "")
        if (event.number, event.previous) != expected:
            report.findings.append(Finding("event-chain", "an event before this one is not there", where))
        before = event
    missing = sorted(index for index, commitment in logged.items() if commitment not in held)
    if missing:
        says = f"{len(missing)} events of the keeper's log are not in its database"
        report.findings.append(Finding("event-missing", says, f"keeper/log, entries {missing[0]} to {missing[-1]}"))
