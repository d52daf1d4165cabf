"""Connection records on their way to the nodes: queued, retried, never silently dropped.

Each environment has a lane of its own, so a node that is away holds up nobody else's records. When there is no room
left, or an environment's records have not been written for half a minute, no new connection begins (`accepting`).

Which node takes an environment is learned: a node refuses what is not of its hosting, and the next is asked. What all
of them refuse is no environment that exists, and goes to `platform/unclaimed`, without the name that was asked for.

Refused connections may come in floods. A minute's first ones get a record each; the rest are counted, and one record
says how many there were.
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from holdfast.formats.connections import ConnectionRecord, Outcome
from holdfast.gateway.ports import Poster
from holdfast.kernel.errors import BusyError, HoldfastError, RefusedError
from holdfast.kernel.names import UNCLAIMED, EnvironmentName

_log = logging.getLogger("holdfast.gateway.recording")

ROOM = 2000
"""Records waiting at most."""
REFUSALS = 120
"""Records of refused connections in a minute at most; further ones are counted."""
_CHUNK = 100
_STUCK_SECONDS = 30.0
_LONGEST_PAUSE = 5.0
_LEARNED = 10_000


class Recording:
    """Satisfies gateway.ports.RecordSink, within one event loop."""

    def __init__(self, posters: Mapping[str, Poster], monotonic: Callable[[], float]) -> None:
        self._posters = posters
        self._monotonic = monotonic
        self._lanes: dict[EnvironmentName, list[ConnectionRecord]] = {}
        self._tasks: dict[EnvironmentName, asyncio.Task[None]] = {}
        self._stuck_since: dict[EnvironmentName, float] = {}
        self._learned: dict[EnvironmentName, str] = {}
        self._waiting = 0
        self._minute = -1
        self._refusals = 0
        self._uncounted: ConnectionRecord | None = None
        self._threads = ThreadPoolExecutor(4, "recording")

    def accepting(self, environment: EnvironmentName | None = None) -> bool:
        """Whether there is room, and the environment's records get written."""
        since = self._stuck_since.get(environment or UNCLAIMED)
        return self._waiting < ROOM and (since is None or self._monotonic() - since < _STUCK_SECONDS)

    def record(self, environment: EnvironmentName | None, record: ConnectionRecord) -> None:
        """Queue a record; refused connections beyond the minute's share are counted instead."""
        self._turn_minute()
        if record.outcome in (Outcome.REFUSED, Outcome.UNAUTHENTICATED):
            self._refusals += 1
            if self._refusals > REFUSALS or self._waiting >= ROOM:
                before = self._uncounted.others if self._uncounted else 0
                self._uncounted = dataclasses.replace(record, person=None, key=None, others=before + 1)
                return
        self._queue(environment or UNCLAIMED, record)

    def _turn_minute(self) -> None:
        minute = int(self._monotonic() // 60)
        if minute != self._minute:
            self._minute, self._refusals = minute, 0
            if self._uncounted is not None:
                counted, self._uncounted = self._uncounted, None
                self._queue(UNCLAIMED, dataclasses.replace(counted, others=counted.others - 1))

    def _queue(self, environment: EnvironmentName, record: ConnectionRecord) -> None:
        self._waiting += 1
        self._lanes.setdefault(environment, []).append(record)
        if environment not in self._tasks:
            self._tasks[environment] = asyncio.get_running_loop().create_task(self._lane(environment))

    async def _lane(self, environment: EnvironmentName) -> None:
        lane = self._lanes[environment]
        while lane:
            chunk = lane[:_CHUNK]
            if not await self._written(environment, b"".join(record.encode() + b"\n" for record in chunk)):
                # No node knows the environment: there is none of this name, and the name is not kept.
                for record in chunk:
                    self._queue(UNCLAIMED, record)
            del lane[: len(chunk)]
            self._waiting -= len(chunk)
        del self._lanes[environment], self._tasks[environment]

    async def _written(self, environment: EnvironmentName, lines: bytes) -> bool:
        """True once the lines are durable at a node, however long that takes; False if no node takes them."""
        pause = 0.1
        while True:
            try:
                written = await self._post(environment, lines)
                self._stuck_since.pop(environment, None)
                return written
            except HoldfastError as error:
                first = environment not in self._stuck_since
                self._stuck_since.setdefault(environment, self._monotonic())
                if first or pause > 1:
                    _log.warning("a connection record is not written yet: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _post(self, environment: EnvironmentName, lines: bytes) -> bool:
        known = self._learned.get(environment)
        away: HoldfastError | None = None
        for name in [known] if known else list(self._posters):
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._posters[name].post, environment, lines
                )
            except RefusedError:
                self._learned.pop(environment, None)
                if known:
                    return await self._post(environment, lines)
            except HoldfastError as error:
                away = error
            else:
                if len(self._learned) >= _LEARNED:
                    del self._learned[next(iter(self._learned))]
                self._learned[environment] = name
                return True
        if away is not None:
            raise away
        if environment == UNCLAIMED:
            raise BusyError("record-refused", "no node takes records of platform/unclaimed")
        return False

    async def close(self, seconds: float) -> None:
        """Write what waits, for at most so long; what is left then is lost, and said."""
        if self._uncounted is not None:
            self._minute = -1
            self._turn_minute()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(list(self._tasks.values()))
        if self._waiting:
            _log.error("%d connection records could not be written", self._waiting)
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
