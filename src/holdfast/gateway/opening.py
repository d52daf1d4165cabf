"""Reading with leave: every reading begins at the keeper, and is asked for again before its lease ends.

The vault moves under readers (a journal file is sealed and deleted), so an answer that does not fit what is on disk is
asked for again. `LiveReading` keeps one reading current for as long as somebody follows it or has its files open.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from holdfast.kernel.errors import RefusedError
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.names import EnvironmentName, Form, KeyId, PersonId, Stream
from holdfast.rules.policy import Denied
from holdfast.vault.reading import Library, Reading
from holdfast.vault.readingports import Keeper, Opening

P = ParamSpec("P")
T = TypeVar("T")

REFRESH_SECONDS = 0.25
_REOPEN_SECONDS = 1.0
_LEASE_MARGIN = 5.0
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person connected to an environment with an SSH key, and what their reading needs."""

    person: PersonId
    fingerprint: str
    environment: EnvironmentName
    keeper: Keeper
    library: Library
    executor: Executor
    now: Callable[[], Instant]
    monotonic: Callable[[], float]

    async def thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Decoding and disks are for threads: the loop serves everybody else meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, lambda: _called(call, *args, **kwargs))

    async def ask(self, stream: Stream, form: Form, since: Day | None, until: Day | None) -> Opening:
        """The keeper's answer. RefusedError `reading-denied` with its policies and reason if it denies."""
        opening = await self.keeper.open(self.person, self.fingerprint, self.environment, stream, form, since, until)
        if isinstance(opening.decision, Denied):
            raise RefusedError(
                "reading-denied",
                "policy does not let you read this",
                policies=" ".join(opening.decision.policies),
                reason=opening.decision.reason,
            )
        return opening

    async def open(
        self, stream: Stream, form: Form, since: Day | None, until: Day | None = None
    ) -> tuple[Reading, float]:
        """A reading that fits what is on disk, and the monotonic second its lease is to be renewed at."""
        missing: frozenset[KeyId] | None = None
        for attempt in range(_TRIES):
            asked = self.monotonic()
            opening = await self.ask(stream, form, since, until)
            reading = await self.thread(Reading, self.library, stream, form, opening)
            before, missing = missing, reading.missing()
            # Keys without lines: sealed since the keeper answered, or made a moment ago and not used yet. The second
            # answer tells which: a key that was sealed away is not in it any more.
            if not missing or (before is not None and missing <= before):
                break
            await asyncio.sleep(0.02 * (attempt + 1))
        return reading, asked + max(1.0, opening.lease_seconds - _LEASE_MARGIN)


def _called(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a call. A panic of a library's (no `Exception`, so whoever catches those would miss it) becomes a
    RuntimeError, without its message, which may quote a line."""
    try:
        return call(*args, **kwargs)
    except Exception:
        raise
    except BaseException as panic:
        raise RuntimeError(f"{type(panic).__name__} in a library").with_traceback(panic.__traceback__) from None


@dataclass(slots=True)
class LiveReading:
    """A reading kept current. Ask for `current()` each time; it may be another one."""

    visitor: Visitor
    stream: Stream
    form: Form
    since: Day | None
    reading: Reading | None = None
    generation: int = 0
    """Counts the keeper's answers."""
    _renew_at: float = 0.0
    _opened_at: float = 0.0
    _refreshed_at: float = 0.0
    _tolerated: frozenset[KeyId] = frozenset()
    _ignored: frozenset[KeyId] = frozenset()
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self, *, again: bool = False) -> Reading:
        """The reading as of now, at most a quarter of a second old; `again` asks the keeper in any case.

        RefusedError if the keeper no longer allows it.
        """
        async with self._lock:
            now = self.visitor.monotonic()
            reading = self.reading
            if reading is None or again or now >= self._renew_at:
                return await self._open(now)
            if now - self._refreshed_at < REFRESH_SECONDS:
                return reading
            await self.visitor.thread(reading.refresh)
            self._refreshed_at = self.visitor.monotonic()
            moved = reading.missing() - self._tolerated
            strange = reading.strange() - self._ignored
            if moved or (strange and now - self._opened_at >= _REOPEN_SECONDS):
                return await self._open(now)
            return reading

    def held(self) -> Reading | None:
        """The reading, if its lease still runs."""
        return self.reading if self.visitor.monotonic() < self._renew_at else None

    async def _open(self, now: float) -> Reading:
        self.reading = None
        reading, self._renew_at = await self.visitor.open(self.stream, self.form, self.since)
        self._opened_at, self._refreshed_at = now, self.visitor.monotonic()
        self._tolerated, self._ignored = reading.missing(), reading.strange()
        self.generation += 1
        self.reading = reading
        return reading
