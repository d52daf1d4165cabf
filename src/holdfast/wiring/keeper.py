"""What the keeper process is made of."""

import asyncio
from collections.abc import Callable

from holdfast.drivers.cedar import CedarPolicies
from holdfast.drivers.clock import SystemClock
from holdfast.drivers.posix import PosixStore
from holdfast.drivers.randomness import SystemRandomness
from holdfast.formats.checkpoints import origin_name
from holdfast.kernel.names import Installation
from holdfast.vault.integrating import TileLog
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import read_signing_key
from holdfast.wiring.processes import Serve
from holdfast.wiring.settings import prepare_keeper


def keeper(home: Home, settings: Settings) -> Serve:
    """The keeper over its database, epoch keys, policies and log."""
    prepare_keeper()
    from holdfast.keeper.paths import POLICIES, KeeperPaths  # Django's models, loaded once it is set up
    from holdfast.keeper.serving import serve

    installation = Installation(settings.installation)
    signer = read_signing_key(home.keeper_signing, origin_name(installation, "keeper"))

    async def serving(ready: Callable[[], None], stop: asyncio.Event) -> None:
        await serve(
            KeeperPaths.under(home.root),
            installation,
            clock=SystemClock(),
            randomness=SystemRandomness(),
            log=TileLog(PosixStore(home.keeper_log), signer),
            policies=CedarPolicies(POLICIES),
            ready=ready,
            stop=stop,
        )

    return serving
