"""Waiting that can be ended: backing off with jitter while a node is busy, and noticing a wish to stop."""

import random
import threading
import time
from collections.abc import Callable

from holdfast.kernel.errors import BusyError
from holdfast.vault.sending import Stopped

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 10.0


class Patience:
    """Waits between attempts. `stop` ends any wait with Stopped; after `longest` seconds the error is raised."""

    def __init__(self, stop: threading.Event, longest: float | None, said: Callable[[BusyError], None]) -> None:
        self._stop = stop
        self._longest = longest
        self._said = said
        self._since = 0.0

    def pause(self, attempt: int, error: BusyError) -> None:
        """Between half of and all of 0.1 s · 2^attempt, 10 s at most, and at least what the node asked for."""
        now = time.monotonic()
        if attempt == 0:
            self._since = now
            self._said(error)
        if self._longest is not None and now - self._since >= self._longest:
            raise error
        seconds = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(attempt, 10)) * random.uniform(0.5, 1.0)
        asked = error.fields.get("retry_after", 0)
        # Jitter on top of what was asked, or all senders would come back at the same moment.
        self.idle(max(seconds, (asked if isinstance(asked, int) else 0) * random.uniform(1.0, 1.5)))

    def idle(self, seconds: float) -> None:
        """Wait, or with 0 only look."""
        if self._stop.is_set() or (seconds and self._stop.wait(seconds)):
            raise Stopped
