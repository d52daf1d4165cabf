"""What the console process is made of."""

import asyncio
from collections.abc import Callable
from functools import partial

from holdfast.console.parts import ConsoleParts, NodeView
from holdfast.drivers.keeperclient import AsyncKeeperClient
from holdfast.drivers.logstanding import log_standing
from holdfast.drivers.standing import read_standing
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import read_secret
from holdfast.wiring.listening import require_free
from holdfast.wiring.processes import Serve
from holdfast.wiring.settings import prepare_console

KEEPER_SECONDS = 2.0
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def console(home: Home, settings: Settings) -> Serve:
    """The console over the keeper's console socket, the standing of processes, and the nodes' checkpoints."""
    require_free(settings, "console")
    listener = settings.console
    parts = ConsoleParts(
        installation=settings.installation,
        keeper=AsyncKeeperClient(home.socket("console"), timeout_seconds=KEEPER_SECONDS),
        processes=partial(read_standing, home.standing),
        nodes=[
            NodeView(name, settings.nodes[name].hosting, partial(log_standing, home.log(name)))
            for name in settings.node_names()
        ],
        addresses={name: str(own) for name, own in settings.listeners()},
    )
    secret_key = read_secret(home.console_secret).reveal().decode().strip()
    own_host = f"[{listener.address}]" if ":" in listener.address else listener.address
    prepare_console(secret_key, [*LOOPBACK, own_host, settings.installation], parts)
    from holdfast.console.serving import serve  # Django's application, loaded once it is set up

    async def serving(ready: Callable[[], None], stop: asyncio.Event) -> None:
        await serve(listener.place, ready, stop)

    return serving
