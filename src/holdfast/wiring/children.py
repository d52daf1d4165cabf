"""One child of `holdfast up`: started, waited for until it serves, started again when it dies, stopped in the end.

A child is a session of its own, so that Ctrl-C reaches the supervisor alone, which stops children in order. A child
that ends with 78 is not started again: its settings are wrong, and somebody must act.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from holdfast.drivers.ready import LIFELINE, READY
from holdfast.drivers.standing import Standing
from holdfast.kernel.errors import ConfigurationError

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STABLE_SECONDS = 30.0
STOP_SECONDS = 30.0
SLOW_SECONDS = 30.0
LINE_LIMIT = 64 << 10


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A process to run as `holdfast <arguments>`. Lower `order` starts earlier and stops later."""

    name: str
    arguments: tuple[str, ...]
    order: int


class Events(Protocol):
    """Where what happens is told."""

    def event(self, process: str, event: str, level: str = "info", **fields: str | int | float) -> None:
        """Something happened to a process."""

    def passed(self, process: str, line: bytes) -> None:
        """A process wrote a line of its own."""


class BackOff:
    """How long to wait before the next start: twice as long each time, from the beginning after it was stable."""

    def __init__(self) -> None:
        self._next = FIRST_DELAY

    def after(self, served_seconds: float) -> float:
        """The delay, in seconds, for a child that served so long before it died."""
        if served_seconds >= STABLE_SECONDS:
            self._next = FIRST_DELAY
        delay, self._next = self._next, min(self._next * 2, LONGEST_DELAY)
        return delay


class Child:
    """A child and its restarts. `ready` is set when it first serves."""

    def __init__(self, spec: ChildSpec, lifeline: int, events: Events, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        self._lifeline = lifeline
        self._events = events
        self._changed = changed
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._state, self._since, self._restarts = "starting", time.time(), 0
        self._served_since: float | None = None

    def standing(self) -> Standing:
        """How it stands now."""
        running = self._process is not None and self._process.returncode is None
        pid = self._process.pid if running and self._process else None
        return Standing(self.spec.name, self._state, pid, int(self._since), self._restarts)

    async def run(self) -> None:
        """Keep it running until `stop`. ConfigurationError `child-configuration` if it ends with 78."""
        delays = BackOff()
        while not self._stopping.is_set():
            status = await self._once()
            if self._stopping.is_set():
                break
            self._say_death(status)
            if status == ConfigurationError.exit_status:
                raise ConfigurationError("child-configuration", "a process cannot start as it is set up; see its error")
            served = time.monotonic() - self._served_since if self._served_since is not None else 0.0
            delay = delays.after(served)
            self._become("waiting")
            self._events.event(self.spec.name, "restarting", "warning", delay_seconds=delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            self._restarts += 1
        self._become("stopped")

    async def stop(self) -> None:
        """Ask it to end and wait; kill it if it takes longer than half a minute."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._become("stopping")
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._events.event(self.spec.name, "did not stop; killed", "error", after_seconds=STOP_SECONDS)
            self.kill()
            await process.wait()
            return
        status = process.returncode or 0
        level, fields = ("info", {}) if status == 0 else ("warning", _death(status))
        self._events.event(self.spec.name, "stopped", level, **fields)

    def kill(self) -> None:
        """End it at once."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _once(self) -> int:
        """Start it and wait for its end: the exit status, negative for a signal."""
        self._served_since = None
        self._become("starting")
        reading, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "holdfast", *self.spec.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(writing, self._lifeline),
                env={**os.environ, READY: str(writing), LIFELINE: str(self._lifeline)},
                start_new_session=True,
                limit=LINE_LIMIT,
            )
        finally:
            os.close(writing)
        if self._stopping.is_set():  # stop came while it was being started
            self._process.send_signal(signal.SIGTERM)
        self._events.event(self.spec.name, "starting", pid=self._process.pid)
        self._changed()
        becoming = asyncio.create_task(self._become_ready(reading))
        passing = asyncio.create_task(self._pass_lines(self._process))
        status = await self._process.wait()
        becoming.cancel()
        with suppress(asyncio.CancelledError):
            await becoming
        # A grandchild may hold the pipe open: what it still says is not waited for.
        await asyncio.wait([passing], timeout=1.0)
        passing.cancel()
        return status

    async def _become_ready(self, descriptor: int) -> None:
        reader = asyncio.StreamReader(limit=4096)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
        )
        slow = loop.call_later(SLOW_SECONDS, lambda: self._events.event(self.spec.name, "not ready yet", "warning"))
        try:
            if not (await reader.readline()).endswith(b"\n"):
                return  # it ended, or closed the pipe, without a word
        finally:
            slow.cancel()
            transport.close()
        self._served_since = time.monotonic()
        self._become("ready")
        self._events.event(self.spec.name, "ready")
        self.ready.set()

    async def _pass_lines(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readuntil(b"\n")
            except asyncio.IncompleteReadError as end:
                if end.partial:
                    self._events.passed(self.spec.name, end.partial)
                return
            except asyncio.LimitOverrunError as over:
                line = await process.stdout.readexactly(min(over.consumed, LINE_LIMIT) or 1)
            self._events.passed(self.spec.name, line.removesuffix(b"\n"))

    def _say_death(self, status: int) -> None:
        self._events.event(self.spec.name, "died", "error", **_death(status))

    def _become(self, state: str) -> None:
        self._state, self._since = state, time.time()
        self._changed()


def _death(status: int) -> dict[str, str | int]:
    if status >= 0:
        return {"status": status}
    try:
        return {"signal": signal.Signals(-status).name}
    except ValueError:
        return {"signal": -status}
