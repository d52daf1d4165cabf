"""The vault as an operator's command sees it: every node's files, the stores, and the keeper to ask for keys.

The keeper may be running (under `holdfast up`) or not; a command that finds it away runs one of its own for as long as
it works, so that a stopped installation can be verified too.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.drivers.operatorkeeper import Catalogue, OperatorKeeper
from holdfast.drivers.posix import PosixStore
from holdfast.drivers.readingfiles import JournalFiles
from holdfast.formats.checkpoints import origin_name
from holdfast.formats.entries import KEEPER
from holdfast.formats.notes import NoteVerifier, parse_vkey
from holdfast.kernel.errors import BusyError, ConfigurationError
from holdfast.kernel.names import Installation, KeyId, NodeName
from holdfast.kernel.secrets import Secret
from holdfast.vault.tracing import Places
from holdfast.vault.verifying import Vault
from holdfast.vault.verifyingkeeper import HeldEvent, KeeperVault
from holdfast.vault.verifyingnodes import NodeVault
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import read_secret

_KEEPER_SECONDS = 30.0
_SEALING_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.25


@contextlib.contextmanager
def operator_keeper(home: Home) -> Iterator[OperatorKeeper]:
    """The keeper, for an operator. One is started for the while if none is running."""
    with contextlib.closing(KeeperClient(home.socket("operator"))) as client:
        keeper = OperatorKeeper(client)
        try:
            keeper.status()
        except BusyError:
            with _own_keeper(home) as child:
                _await(keeper, child)
                yield keeper
                return
        yield keeper


@contextlib.contextmanager
def _own_keeper(home: Home) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "holdfast", "keeper", "--home", str(home.root)]
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=said)
        try:
            yield child
        finally:
            ended = child.poll() is not None
            child.terminate()
            child.wait(_KEEPER_SECONDS)
            if ended:  # nobody told it to: what it said is why
                said.seek(0)
                sys.stderr.write(said.read().decode(errors="replace"))


def _await(keeper: OperatorKeeper, child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _KEEPER_SECONDS
    while True:
        try:
            keeper.status()
            return
        except BusyError:
            if time.monotonic() > until or child.poll() is not None:
                raise
            time.sleep(0.1)


@dataclass(frozen=True)
class OpenVault:
    """Everything on this machine, opened for looking."""

    home: Home
    settings: Settings
    keeper: OperatorKeeper

    def catalogue(self) -> Catalogue:
        """What the keeper knows to be held, now."""
        return self.keeper.catalogue()

    def keys(self, ids: Sequence[KeyId]) -> Mapping[KeyId, Secret]:
        """Data keys by id; destroyed ones are left out."""
        return {held: data_key.key for held, data_key in self.keeper.open_keys(ids).items()}

    def stores(self) -> Mapping[str, PosixStore]:
        """Every store of this machine, by `vendor-region`."""
        return {name: PosixStore(path) for name, path in self.home.stores(self.settings).items()}

    def vault(self, catalogue: Catalogue, pinned: Sequence[NoteVerifier] = ()) -> Vault:
        """The vault to verify. A pinned verifier key takes the place of what the keeper says of a log of its name."""
        pins = {verifier.name: verifier for verifier in pinned}
        nodes = []
        for known in catalogue.nodes:
            verifier = pins.get(known.origin) or parse_vkey(known.vkey)
            nodes.append(self._node(known.name, known.hosting, verifier))
        return Vault(
            Installation(self.settings.installation),
            nodes,
            self.stores(),
            lambda: {row.entry.name: row.entry for row in self.catalogue().segments},
            self.keys,
            self._settling(),
            self._keeper(pins),
        )

    def _keeper(self, pins: Mapping[str, NoteVerifier]) -> KeeperVault:
        name = origin_name(Installation(self.settings.installation), KEEPER)
        verifier = pins.get(name) or parse_vkey(read_secret(self.home.vkey(KEEPER)).reveal().decode().strip())
        return KeeperVault(verifier, PosixStore(self.home.keeper_log), self._events)

    def _events(self) -> Iterator[HeldEvent]:
        for one in self.keeper.events():
            chain = one.environment or ""
            yield HeldEvent(one.number, chain, one.previous, one.salt, one.event, one.commitment, one.index)

    def _settling(self) -> Callable[[], bool]:
        """Waits a moment while a closed journal file is there, which a node turns into segments; not for ever."""
        left = int(_SEALING_SECONDS / _LOOK_AGAIN_SECONDS)

        def settling() -> bool:
            nonlocal left
            left -= 1
            folders = [self.places(node).journal for node in self.settings.node_names()]
            if left < 0 or all(len(folder.numbers()) < 2 for folder in folders):
                return False
            time.sleep(_LOOK_AGAIN_SECONDS)
            return True

        return settling

    def places(self, node: NodeName) -> Places:
        """Where a node keeps what proofs are made of."""
        journal, ledger = JournalFiles(self.home.journal(node)), PosixStore(self.home.ledger(node))
        return Places(Installation(self.settings.installation), node, journal, ledger)

    def log_store(self, node: NodeName) -> PosixStore:
        """A node's log."""
        return PosixStore(self.home.log(node))

    def _node(self, node: NodeName, hosting: str, verifier: NoteVerifier) -> NodeVault:
        if node not in self.settings.nodes:
            raise ConfigurationError("node-elsewhere", "a node of this installation is not on this machine", node=node)
        places = self.places(node)
        return NodeVault(node, verifier, self.log_store(node), places.journal, places.ledger, hosting.replace("/", "-"))


@contextlib.contextmanager
def open_vault(home: Home) -> Iterator[OpenVault]:
    """The vault of a home, with a keeper to ask."""
    settings = home.open()
    with operator_keeper(home) as keeper:
        yield OpenVault(home, settings, keeper)
