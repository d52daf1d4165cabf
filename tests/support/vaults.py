"""A whole node's vault in memory, driven the way a node drives it, and `check_vault`, which recomputes everything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from holdfast.drivers.memory import (
    Faults,
    FixedClock,
    MemoryJournalStore,
    MemoryKeySource,
    MemoryStore,
    SeededRandomness,
)
from holdfast.formats.lines import split
from holdfast.formats.notes import signer
from holdfast.formats.positions import Position, Positions, Source
from holdfast.formats.syslog.parsing import parse
from holdfast.kernel.instants import Instant, day_of, parse_rfc3339
from holdfast.kernel.keys import KeyKind, KeyRequest
from holdfast.kernel.names import UNCLAIMED, EnvironmentName, Installation, KeyId, NodeName, Stream
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.guard import MinimisedTable, minimise
from holdfast.rules.streams import environments, streams
from holdfast.vault.findings import Report
from holdfast.vault.flushing import Flushed, Flusher
from holdfast.vault.integrating import TileLog
from holdfast.vault.journaling import Journal
from holdfast.vault.recovering import flush_entry, recover
from holdfast.vault.sealing import seal
from holdfast.vault.verifying import Vault, verify
from holdfast.vault.verifyingkeeper import KeeperVault
from holdfast.vault.verifyingnodes import NodeVault

INSTALLATION = Installation("logs.example.org")
NODE = NodeName("n1")
STORE = "aws-eu-west-1"
ACME = EnvironmentName("acme/main")
HOSTS = {"web1.acme.example": ACME, "web1.globex.example": EnvironmentName("globex/main")}
MORNING = parse_rfc3339("2026-11-24T06:00:00Z")
SOURCE = Source(ACME, Stream.APP, "00000000-0000-4000-8000-000000000001", "0" * 32)


@dataclass
class Disks:
    """What survives a power cut. One `Faults` counts the effects on all of it."""

    faults: Faults = field(default_factory=Faults)
    keys: MemoryKeySource = field(default_factory=MemoryKeySource)
    files: dict[int, bytes] = field(default_factory=dict)
    log: dict[str, bytes] = field(default_factory=dict)
    ledger: dict[str, bytes] = field(default_factory=dict)
    store: dict[str, bytes] = field(default_factory=dict)

    def break_at(self, faults: Faults) -> None:
        """From now on, these faults."""
        self.faults = self.keys.faults = faults


class MemoryNode:
    """A node started on some disks: recovered, ready for lines."""

    def __init__(self, disks: Disks, clock: FixedClock | None = None) -> None:
        self.disks = disks
        self.clock = clock or FixedClock(MORNING)
        self.journal_store = MemoryJournalStore(disks.files, disks.faults)
        self.log = TileLog(MemoryStore(disks.log, disks.faults), signer(f"{INSTALLATION}/{NODE}", bytes(32)))
        self.ledger = MemoryStore(disks.ledger, disks.faults)
        self.store = MemoryStore(disks.store, disks.faults)
        # Random for good: a node started again must not draw the same nonces.
        self.random = SeededRandomness(len(b"".join(disks.files.values())) + len(disks.keys.keys))
        context = f"{INSTALLATION}/{NODE}".encode()
        self.journal: Journal = recover(
            NODE, context, self.journal_store, disks.keys, self.log, self.clock, self.random
        )
        self.flusher = Flusher(NODE, self.journal, self.random, lambda now: False)

    def minimised(self, syslog: bytes) -> MinimisedTable:
        """Syslog lines, taken as far as the guard."""
        table = streams(environments(parse(split(syslog), self.clock.now()), HOSTS), [])
        table = table.with_columns(
            pl.when(pl.col("environment") == "").then(pl.lit(UNCLAIMED)).otherwise("environment").alias("environment")
        )
        day = day_of(self.clock.now())
        names = [EnvironmentName(name) for name in table["environment"].unique()]
        made = self.disks.keys.make_keys([KeyRequest(KeyKind.PSEUDONYM, name, None, day) for name in names])
        return minimise(table, {key.environment: key.key.reveal() for key in made})

    def flush(self, syslog: bytes, moved: Position | None = None) -> Flushed:
        """Make lines durable, and with them a sender's position in acme's app stream."""
        positions = {}
        if moved:
            positions[ACME, Stream.APP] = Positions()
            positions[ACME, Stream.APP].move(SOURCE, moved)
        flushed = self.flusher.flush(self.flusher.batch(self.minimised(syslog)), self.clock.now(), positions)
        for stream, part in positions.items():
            self.journal.state.positions.merge(part, flushed.batches[stream])
        return flushed

    def integrate(self, *flushes: Flushed) -> None:
        """Into the log."""
        self.log.append([flush_entry(NODE, one.flush, one.time, one.leaves) for one in flushes])

    def seal(self) -> None:
        """Close the newest file and seal all that are closed."""
        if not self.journal.empty:
            self.journal.rotate(self.clock.now())
        closed = [number for number in self.journal_store.numbers() if number < self.journal.number]
        if closed:
            seal(self.journal_store, closed, self.disks.keys, self.store, self.ledger, INSTALLATION, NODE)


def report_of(
    disks: Disks,
    *,
    at_keys: Callable[[], object] = lambda: None,
    at_catalogue: Callable[[], object] = lambda: None,
    settling: Callable[[], bool] = lambda: False,
    keeper: KeeperVault | None = None,
) -> Report:
    """Everything on the disks, recomputed. `at_keys` and `at_catalogue` happen just before the keeper is asked."""

    def keys(ids: Sequence[KeyId]) -> dict[KeyId, Secret]:
        at_keys()
        return {held: disks.keys.keys[held].key for held in ids if held in disks.keys.keys}

    def catalogue() -> dict[str, SegmentEntry]:
        at_catalogue()
        return dict(disks.keys.catalogue)

    verifier = signer(f"{INSTALLATION}/{NODE}", bytes(32)).verifier()
    node = NodeVault(
        NODE, verifier, MemoryStore(disks.log), MemoryJournalStore(disks.files), MemoryStore(disks.ledger), STORE
    )
    vault = Vault(
        INSTALLATION,
        [node],
        {STORE: MemoryStore(disks.store)},
        catalogue,
        keys,
        settling,
        keeper,
    )
    return verify(vault, lambda lines: None)


def check_vault(disks: Disks) -> Report:
    """The report, which must find nothing wrong."""
    report = report_of(disks)
    assert report.findings == []
    return report


def syslog_lines(first: int, count: int, host: str = "web1.acme.example", program: str = "app") -> bytes:
    """Numbered lines of one host and program, each with an address."""
    return b"".join(
        b"<134>1 2026-11-24T06:00:00Z %s %s 7 - - line %d from 192.0.2.%d\n"
        % (host.encode(), program.encode(), number, number % 250 + 1)
        for number in range(first, first + count)
    )


def at(seconds: float) -> Instant:
    """That long after MORNING."""
    return Instant(MORNING + int(seconds * 1e9))
