"""What a node process is made of.

Order: keys read → announced to the keeper → log opened → `intake.serving`. A node whose name is not in the settings, or
whose keys are not its own, does not start.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from holdfast.drivers.clock import SystemClock
from holdfast.drivers.keeperclient import KeeperClient
from holdfast.drivers.nodekeeper import NodeKeeper
from holdfast.drivers.posix import PosixStore
from holdfast.drivers.posixjournal import PosixJournal
from holdfast.drivers.randomness import SystemRandomness
from holdfast.formats.checkpoints import origin_name
from holdfast.intake.http import HttpLimits
from holdfast.intake.http_tokens import TokenHolder
from holdfast.intake.pipeline import Limits
from holdfast.intake.serving import NodeParts, patiently, serve
from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.names import Installation, NodeName
from holdfast.vault.integrating import TileLog
from holdfast.vault.ports import JournalStore, KeySource, Store
from holdfast.vault.sealing import seal
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import read_promise_key, read_signing_key
from holdfast.wiring.listening import require_free
from holdfast.wiring.nodekeys import make_node_keys, promise_key_name
from holdfast.wiring.processes import Serve


class KeeperTokens:
    """Satisfies intake.http_tokens.Tokens: the keeper is asked in a thread, by the token's digest."""

    def __init__(self, keeper: NodeKeeper) -> None:
        self._keeper = keeper

    async def holder(self, digest: str) -> TokenHolder | None:
        """Who holds the token."""
        grant = await asyncio.to_thread(self._keeper.check_digest, digest)
        return None if grant is None else TokenHolder(grant.environment)


def node(name: NodeName, home: Home, settings: Settings) -> Serve:
    """A node over its journal, log, ledger and store."""
    if name not in settings.nodes:
        raise ConfigurationError("node-unknown", "the settings know no node of this name", node=name)

    require_free(settings, f"nodes.{name}.")
    make_node_keys(home, settings, SystemRandomness())

    async def serving(ready: Callable[[], None], stop: asyncio.Event) -> None:
        await serve(await patiently(stop, _parts, name, home, settings), ready, stop)

    return serving


def _parts(name: NodeName, home: Home, settings: Settings) -> NodeParts:
    installation, own = Installation(settings.installation), settings.nodes[name]
    signer = read_signing_key(home.node_signing(name), origin_name(installation, name))
    promises = read_promise_key(home.node_promise(name), promise_key_name(installation, name))
    # Two clients: a long making of keys does not hold up the answer whether a token is good.
    keys = NodeKeeper(KeeperClient(home.socket("node")), name)
    asking = NodeKeeper(KeeperClient(home.socket("node")), name)
    keys.announce(signer.name, signer.verifier().vkey(), promises.verifier.vkey(), own.hosting)
    journal = PosixJournal(home.journal(name))
    store, ledger = PosixStore(home.store(settings, own.place)), PosixStore(home.ledger(name))
    intake = settings.intake
    return NodeParts(
        installation=installation,
        node=name,
        hosting=own.hosting,
        syslog=own.syslog.place,
        http=own.http.place,
        limits=Limits(intake.flush_seconds, intake.flush_lines, intake.flush_bytes, intake.pending_bytes),
        http_limits=HttpLimits(body=intake.http_body, connections=intake.http_connections),
        max_frame=intake.max_frame,
        max_connections=intake.max_connections,
        clock=SystemClock(),
        randomness=SystemRandomness(),
        keys=keys,
        journal=journal,
        log=TileLog(PosixStore(home.log(name)), signer),
        host_map=asking.host_map,
        tokens=KeeperTokens(asking),
        promises=promises,
        seal=partial(_seal, journal, keys, store, ledger, installation, name),
        seal_bytes=settings.sealing.bytes,
        seal_seconds=settings.sealing.seconds,
    )


def _seal(
    journal: JournalStore,
    keys: KeySource,
    store: Store,
    ledger: Store,
    installation: Installation,
    name: NodeName,
    numbers: Sequence[int],
) -> None:
    seal(journal, numbers, keys, store, ledger, installation, name)
