"""Flushes into the node's log about once a second, and closed journal files into segments: one thread, in this order.

A flush is in the log before its journal file is sealed, and a file is deleted only when all of it is sealed: so at
every moment each line is whole in the journal or in a segment, and its root in the journal or in the log. What cannot
be done now (a full disk, no keeper) is tried again, sealing ever more rarely: each try makes keys and writes segments.
"""

import logging
import threading
import time
from collections.abc import Callable

from holdfast.kernel.errors import BusyError
from holdfast.kernel.names import NodeName
from holdfast.vault.flushing import Flushed
from holdfast.vault.ports import LogSink
from holdfast.vault.recovering import flush_entry

log = logging.getLogger("holdfast.intake")

LONGEST_WAIT = 60.0


class Integrator:
    """A thread of its own. A fault that cannot be waited out is handed to `failed`, and the node stops."""

    def __init__(
        self,
        node: NodeName,
        sink: LogSink,
        seal: Callable[[], None],
        failed: Callable[[BaseException], None],
        every: float = 1.0,
    ) -> None:
        self._node, self._sink, self._seal, self._failed, self._every = node, sink, seal, failed, every
        self._lock = threading.Lock()
        self._waiting: list[Flushed] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="integrate", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def add(self, flushed: Flushed) -> None:
        """A durable flush, in order."""
        with self._lock:
            self._waiting.append(flushed)

    def close(self) -> None:
        """Integrate what waits, then end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        integrating, sealing = _Turn("the log", self._integrate, self._every), _Turn("sealing", self._seal)
        try:
            while not self._stop.wait(self._every):
                integrating.take()
                sealing.take()
            integrating.take()
        except BaseException as error:  # the one place that sees this thread's end
            self._failed(error)

    def _integrate(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        if waiting:
            self._sink.append([flush_entry(self._node, one.flush, one.time, one.leaves) for one in waiting])
            with self._lock:
                del self._waiting[: len(waiting)]


class _Turn:
    """Work that may have to wait: after each try that came to nothing twice as long, `longest` seconds at most."""

    def __init__(self, what: str, work: Callable[[], None], longest: float = LONGEST_WAIT) -> None:
        self._what, self._work, self._longest = what, work, longest
        self._wait = self._not_before = 0.0

    def take(self) -> None:
        """Do it, if it is time."""
        if time.monotonic() < self._not_before:
            return
        try:
            self._work()
        except BusyError as error:
            self._wait = min(self._longest, self._wait * 2 or 1.0)
            self._not_before = time.monotonic() + self._wait
            fields = {"what": self._what, "code": error.code, "reason": error.message, "seconds": self._wait}
            log.warning("waiting", extra={"fields": fields})
        else:
            if self._wait:
                log.warning("going on", extra={"fields": {"what": self._what}})
            self._wait = self._not_before = 0.0
