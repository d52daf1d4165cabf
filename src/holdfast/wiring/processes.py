"""How every process of ours runs: log, lock, live objects, serve, stop.

It stops when told to (SIGTERM, SIGINT), and when whoever started it is gone. An error that is ours ends it with the
status of its family, any other with 70; either is logged, without its words.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from holdfast.drivers.locking import only_one
from holdfast.drivers.ready import Readiness, watch_lifeline
from holdfast.kernel.errors import HoldfastError
from holdfast.wiring import logging as process_log
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home

Serve = Callable[[Callable[[], None], asyncio.Event], Awaitable[None]]
"""`serve(ready, stop)`."""

Make = Callable[[Home, Settings], Serve]
"""Builds the live objects, in the main thread and within the running event loop."""

log = logging.getLogger("holdfast.process")


def run_process(home: Home, process: str, make: Make) -> int:
    """Run until told to stop. The exit status."""
    process_log.start(process)
    try:
        settings = home.open()
        with only_one(home.lock(process), process):
            asyncio.run(_run(lambda: make(home, settings)))
    except HoldfastError as error:
        log.error("stopped by an error: %s", error.message, exc_info=error)
        return error.exit_status
    except Exception as error:
        log.critical("stopped by an error nobody expected", exc_info=error)
        return 70
    return 0


async def _run(make: Callable[[], Serve]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.set_exception_handler(_told)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch_lifeline(stop.set)
    ready = Readiness()

    await make()(ready, stop)


def _told(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    log.error("an error in a task", exc_info=error if isinstance(error, BaseException) else None)
