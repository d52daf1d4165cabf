"""The node process: its live objects, out of settings and keys."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.drivers.clock import SystemClock
from holdfast.drivers.keeperclient import KeeperClient
from holdfast.drivers.nodekeeper import NodeKeeper
from holdfast.drivers.posix import PosixStore
from holdfast.drivers.posixjournal import PosixJournal
from holdfast.drivers.randomness import SystemRandomness
from holdfast.formats.notes import NoteSigner, parse_signing_key
from holdfast.formats.promises import PromiseSigner
from holdfast.intake.http import HttpLimits
from holdfast.intake.http_tokens import TokenHolder
from holdfast.intake.pipeline import Limits
from holdfast.intake.serving import NodeParts, serve
from holdfast.kernel.names import Installation, NodeName
from holdfast.kernel.secrets import Secret
from holdfast.vault.integrating import TileLog
from holdfast.vault.sealing import seal
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home


class KeeperTokens:
    """Intake tokens, asked of the keeper without stopping the event loop. Satisfies intake.http_tokens.Tokens."""

    def __init__(self, keeper: NodeKeeper) -> None:
        self._keeper = keeper

    async def holder(self, digest: str) -> TokenHolder | None:
        """Who holds the token of this SHA-256, or None."""
        grant = await asyncio.to_thread(self._keeper.check_digest, digest)
        if grant is None or (grant.kind == "sender" and grant.environment is None):
            return None
        return TokenHolder(grant.environment if grant.kind == "sender" else None)


def make_node(name: NodeName, home: Home, settings: Settings) -> Callable[..., Awaitable[None]]:
    """`serve(ready, stop)` of one node. The keeper must be running: the node announces itself to it first."""
    own = settings.nodes[name]
    keeper = NodeKeeper(KeeperClient(home.socket("node")), name)
    tokens = NodeKeeper(KeeperClient(home.socket("node")), name)  # so that a long call does not hold up HTTP
    signer, promises = _signing_key(home.node_signing(name)), _signing_key(home.node_promise(name))
    keeper.announce(signer.name, signer.verifier().vkey(), promises.verifier().vkey(), own.place)
    journal, ledger = PosixJournal(home.journal(name)), PosixStore(home.ledger(name))
    store = PosixStore(home.store(settings, own.place))

    def seal_closed(numbers: Sequence[int]) -> None:
        seal(journal, numbers, keeper, store, ledger, Installation(settings.installation), name)

    parts = NodeParts(
        installation=settings.installation,
        node=name,
        hosting=own.hosting,
        syslog=own.syslog.place,
        http=own.http.place,
        limits=Limits(
            settings.intake.flush_seconds,
            settings.intake.flush_lines,
            settings.intake.flush_bytes,
            settings.intake.pending_bytes,
        ),
        http_limits=HttpLimits(
            body=settings.intake.http_body,
            line=settings.intake.max_frame,
            connections=settings.intake.http_connections,
        ),
        max_frame=settings.intake.max_frame,
        max_connections=settings.intake.max_connections,
        clock=SystemClock(),
        randomness=SystemRandomness(),
        keys=keeper,
        journal=journal,
        log=TileLog(PosixStore(home.log(name)), signer),
        host_map=tokens.host_map,
        tokens=KeeperTokens(tokens),
        promises=PromiseSigner(promises.name, Ed25519PrivateKey.from_private_bytes(promises.seed.reveal())),
        seal=seal_closed,
        seal_bytes=settings.sealing.bytes,
        seal_seconds=settings.sealing.seconds,
    )
    return functools.partial(serve, parts)


def _signing_key(path: Path) -> NoteSigner:
    return parse_signing_key(Secret(path.read_bytes()))
