"""What the gateway process is made of."""

import asyncio
from collections.abc import Callable

from holdfast.gateway.serving import GatewayPaths, NodePlace, serve
from holdfast.kernel.names import Installation, NodeName
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import read_secret
from holdfast.wiring.listening import require_free
from holdfast.wiring.processes import Serve


def gateway(home: Home, settings: Settings) -> Serve:
    """The gateway over its host key, the keeper's gateway socket, and every node's journal and store here."""
    require_free(settings, "gateway")
    paths = GatewayPaths(
        installation=Installation(settings.installation),
        host_key=home.gateway_host_key,
        keeper_socket=home.socket("gateway"),
        recorder_token=home.recorder_token,
        nodes={node: _place(home, settings, node) for node in settings.node_names()},
        stores=home.stores(settings),
    )

    async def serving(ready: Callable[[], None], stop: asyncio.Event) -> None:
        await serve(paths, *settings.gateway.place, ready, stop)

    return serving


def _place(home: Home, settings: Settings, node: NodeName) -> NodePlace:
    return NodePlace(
        journal=home.journal(node),
        ledger=home.ledger(node),
        log=home.log(node),
        intake=f"http://{settings.nodes[node].http}",
        vkey=read_secret(home.vkey(node)).reveal().decode().strip(),
    )
