"""A vault on disk for readers: nodes that write it the way a node does, and a keeper without policy beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from holdfast.drivers.gatewaykeeper import OpenedJournal, OpenedSegment, Opening
from holdfast.drivers.memory import FixedClock, MemoryKeySource, SeededRandomness
from holdfast.drivers.posix import PosixStore
from holdfast.drivers.posixjournal import PosixJournal
from holdfast.formats.lines import split
from holdfast.formats.notes import signer
from holdfast.formats.syslog.parsing import file_lines, parse
from holdfast.kernel.instants import Day, Instant, day_of, parse_rfc3339
from holdfast.kernel.keys import KeyKind, KeyRequest
from holdfast.kernel.names import EnvironmentName, Form, Installation, KeyId, NodeName, PersonId, Stream, login_name
from holdfast.kernel.secrets import Secret
from holdfast.rules.guard import minimise
from holdfast.rules.policy import Allowed, Decision, Denied
from holdfast.vault.flushing import Flusher
from holdfast.vault.integrating import TileLog
from holdfast.vault.recovering import flush_entry, recover
from holdfast.vault.sealing import seal

INSTALLATION = Installation("logs.example.org")
STORE = "aws-eu-west-1"
ACME = EnvironmentName("acme/main")
GLOBEX = EnvironmentName("globex/main")
PERSON = PersonId("p_00000000000000aa")
MORNING = parse_rfc3339("2026-11-24T06:00:00Z")


@dataclass
class DiskVault:
    """Folders, and the keys of everything in them."""

    root: Path
    keys: MemoryKeySource = field(default_factory=MemoryKeySource)
    owners: dict[KeyId, NodeName] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=lambda: FixedClock(MORNING))
    nodes: "dict[NodeName, DiskNode]" = field(default_factory=dict)

    def node(self, name: str = "n1") -> "DiskNode":
        """The node of that name, started when first asked for."""
        node = NodeName(name)
        if node not in self.nodes:
            self.nodes[node] = DiskNode(self, node)
        return self.nodes[node]

    @property
    def store_folder(self) -> Path:
        """Where segments lie."""
        return self.root / "stores" / STORE

    def pass_time(self, seconds: float) -> Instant:
        """Move the clock on."""
        self.clock.instant = Instant(self.clock.now() + int(seconds * 1e9))
        return self.clock.now()


class _Owned:
    """Keys made through here are this node's."""

    def __init__(self, vault: DiskVault, node: NodeName) -> None:
        self._vault = vault
        self._node = node

    def make_keys(self, requests):  # type: ignore[no-untyped-def]
        made = self._vault.keys.make_keys(requests)
        self._vault.owners.update({key.id: self._node for key in made})
        return made

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._vault.keys, name)


class DiskNode:
    """A node writing its folders."""

    def __init__(self, vault: DiskVault, name: NodeName) -> None:
        self.vault = vault
        self.name = name
        self.folder = vault.root / "nodes" / name
        self.keys = _Owned(vault, name)
        self.signer = signer(f"{INSTALLATION}/{name}", name.encode().ljust(32, b"-"))
        self.log = TileLog(PosixStore(self.folder / "log"), self.signer)
        self.ledger = PosixStore(self.folder / "ledger")
        self.store = PosixStore(vault.store_folder)
        self.journal_store = PosixJournal(self.folder / "journal")
        random = SeededRandomness(int.from_bytes(name.encode(), "big"))
        context = f"{INSTALLATION}/{name}".encode()
        self.journal = recover(name, context, self.journal_store, self.keys, self.log, vault.clock, random)
        self.flusher = Flusher(name, self.journal, random, lambda now: False)

    def take(
        self,
        lines: bytes,
        stream: Stream = Stream.APP,
        environment: EnvironmentName = ACME,
        file: str | None = "app.log",
    ) -> None:
        """One flush of raw lines: of a file, or (file None) of syslog."""
        now = self.vault.clock.now()
        table = parse(split(lines), now) if file is None else file_lines(split(lines), now, file)
        table = table.with_columns(pl.lit(environment).alias("environment"), pl.lit(stream.value).alias("stream"))
        [key] = self.keys.make_keys([KeyRequest(KeyKind.PSEUDONYM, environment, None, day_of(now))])
        batched = self.flusher.batch(minimise(table, {environment: key.key.reveal()}))
        flushed = self.flusher.flush(batched, now, {})
        self.log.append([flush_entry(self.name, flushed.flush, flushed.time, flushed.leaves)])

    def seal(self) -> None:
        """Close the newest journal file and seal everything closed."""
        self.journal.rotate(self.vault.clock.now())
        closed = [number for number in self.journal_store.numbers() if number < self.journal.number]
        seal(self.journal_store, closed, self.keys, self.store, self.ledger, INSTALLATION, self.name)


@dataclass
class OpenKeeper:
    """A keeper that lets one person, by fingerprint, read some environments. Satisfies vault.readingports.Keeper."""

    vault: DiskVault
    people: dict[str, PersonId] = field(default_factory=dict)
    readable: dict[EnvironmentName, Mapping[Stream, frozenset[Form]]] = field(
        default_factory=lambda: {
            ACME: {
                Stream.APP: frozenset(Form),
                Stream.SYSTEM: frozenset({Form.PSEUDONYM}),
                Stream.WEB_ACCESS: frozenset(Form),
                Stream.SSH_ACCESS: frozenset(),
            }
        }
    )
    environments: frozenset[EnvironmentName] = frozenset({ACME, GLOBEX})
    lease_seconds: int = 60
    opened: int = 0
    closed_days: set[Day] = field(default_factory=set)

    async def authenticate(self, fingerprint: str, login: str) -> tuple[PersonId | None, Decision]:
        person = self.people.get(fingerprint)
        names = {login_name(environment): environment for environment in self.environments}
        if person is None:
            return None, Denied((), "unknown-ssh-key")
        if names.get(login) not in self.readable:
            return person, Denied((), "no-policy-permits")
        return person, Allowed(("customer-connects",))

    async def streams(
        self, person: PersonId, fingerprint: str, environment: EnvironmentName
    ) -> Mapping[Stream, frozenset[Form]]:
        return self.readable.get(environment, {})

    async def open(
        self,
        person: PersonId,
        fingerprint: str,
        environment: EnvironmentName,
        stream: Stream,
        form: Form,
        since: Day | None,
        until: Day | None,
    ) -> Opening:
        self.opened += 1
        if form not in self.readable.get(environment, {}).get(stream, frozenset()):
            return Opening(Denied(("nobody-reads-ssh-access",), "policy-forbids"), (), (), {}, 0)

        def within(day: Day) -> bool:
            return (since is None or day >= since) and (until is None or day <= until)

        keys = self.vault.keys
        segments = [
            entry
            for entry in keys.catalogue.values()
            if (entry.environment, entry.stream) == (environment, stream) and within(entry.day)
        ]
        mine = [key for key in list(keys.keys.values()) if key.environment == environment and within(key.day)]
        pseudonyms: dict[Day, Secret] = {
            key.day: key.key for key in mine if key.kind is KeyKind.PSEUDONYM and key.day not in self.closed_days
        }
        return Opening(
            Allowed(("customer-reads",)),
            tuple(OpenedSegment(entry, keys.keys[entry.key].key, STORE) for entry in segments),
            tuple(
                OpenedJournal(key.id, self.vault.owners[key.id], key.day, key.key)
                for key in mine
                if key.kind is KeyKind.JOURNAL and key.stream is stream
            ),
            pseudonyms if form is Form.CLEAR else {},
            self.lease_seconds,
        )
