"""`holdfast up`: every process of this machine as a child of one command.

Order: lock (one `up` on a home) → keeper, until it serves → everything that needs it, side by side → "ready". At the
end, told by SIGINT, SIGTERM or SIGHUP: what reads, then what takes in, the keeper last, for the others write their last
words with its help. A second signal kills. If this process itself is killed, the children notice by their lifeline
and stop.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import groupby

from holdfast.drivers.locking import only_one
from holdfast.drivers.standing import write_standing
from holdfast.kernel.errors import HoldfastError
from holdfast.wiring.children import Child, ChildSpec, Events
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KEEPER, NODES, READERS, GUESTS = range(4)
WAVES = ((KEEPER,), (NODES, READERS), (GUESTS,))


def processes(home: Home, settings: Settings, guests: Sequence[tuple[str, ...]] = ()) -> list[ChildSpec]:
    """What runs on this machine. Guests are further `holdfast` commands that start once all the rest is ready."""
    place = ("--home", str(home.root))
    return [
        ChildSpec("keeper", ("keeper", *place), KEEPER),
        *(ChildSpec(name, ("node", name, *place), NODES) for name in settings.node_names()),
        ChildSpec("gateway", ("gateway", *place), READERS),
        ChildSpec("console", ("console", *place), READERS),
        *(ChildSpec(guest[0], (*guest, *place), GUESTS) for guest in guests),
    ]


class Supervisor:
    """The children together."""

    def __init__(self, home: Home, specs: Sequence[ChildSpec], events: Events, when_ready: Callable[[], None]) -> None:
        self._home = home
        self._specs = sorted(specs, key=lambda spec: spec.order)
        self._events = events
        self._when_ready = when_ready
        self._children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Until told to stop: 0, or the status of the error that ended it. ConflictError `already-running`."""
        with only_one(self._home.lock("up"), "up"):
            lifeline, held = os.pipe()
            loop = asyncio.get_running_loop()
            self._ended: asyncio.Future[None] = loop.create_future()
            for number in SIGNALS:
                loop.add_signal_handler(number, self._told_to_stop)
            try:
                return await self._run(lifeline)
            finally:
                for number in SIGNALS:
                    loop.remove_signal_handler(number)
                os.close(lifeline)
                os.close(held)
                self._home.standing.unlink(missing_ok=True)

    async def _run(self, lifeline: int) -> int:
        self._children = [Child(spec, lifeline, self._events, self._changed) for spec in self._specs]
        self._watch(self._start())
        try:
            await self._ended
        except HoldfastError as error:
            self._events.event("up", error.message, "error", code=error.code)
            return error.exit_status
        finally:
            await self._stop_all()
        return 0

    async def _start(self) -> None:
        """Wave after wave, each side by side."""
        for wave in WAVES:
            together = [child for child in self._children if child.spec.order in wave]
            for child in together:
                self._watch(child.run())
            await asyncio.gather(*(child.ready.wait() for child in together))
            if READERS in wave:
                self._when_ready()

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        """Run it; if it fails, everything ends."""
        task = asyncio.create_task(work)
        self._tasks.append(task)

        def done(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None and not self._ended.done():
                self._ended.set_exception(error)

        task.add_done_callback(done)

    async def _stop_all(self) -> None:
        self._events.event("up", "stopping")
        self._tasks[0].cancel()  # nothing more is started
        for _, group in groupby(reversed(self._children), lambda child: child.spec.order):
            await asyncio.gather(*(child.stop() for child in group))
        await asyncio.wait(self._tasks)
        self._events.event("up", "stopped")

    def _told_to_stop(self) -> None:
        if self._ended.done():
            for child in self._children:
                child.kill()
        else:
            self._ended.set_result(None)

    def _changed(self) -> None:
        with suppress(OSError):  # a full disk hides how things stand; it stops nothing
            write_standing(self._home.standing, [child.standing() for child in self._children])
