"""The machine's clock."""

import time

from holdfast.kernel.instants import Instant


class SystemClock:
    """Nanoseconds since the epoch, UTC, as the kernel says (it may step back; whoever needs order keeps it)."""

    def now(self) -> Instant:
        """Now."""
        return Instant(time.time_ns())
