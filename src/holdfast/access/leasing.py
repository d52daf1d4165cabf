"""Who may still hold a data key, and until when.

Leases are in memory only, so a keeper that starts takes every key as leased for one lease time: a holder from before
the restart is waited for too. `elapsed` counts nanoseconds on a clock that never jumps.
"""

from collections.abc import Callable, Iterable

from holdfast.kernel.names import KeyId

LEASE_SECONDS = 60
_LEASE_NS = LEASE_SECONDS * 1_000_000_000
_SWEEP_AT = 10_000


class Leases:
    """The end of the last lease of every key that was handed out."""

    def __init__(self, elapsed: Callable[[], int]) -> None:
        self._elapsed = elapsed
        self._ends: dict[KeyId, int] = {}
        self._floor = elapsed() + _LEASE_NS

    def grant(self, keys: Iterable[KeyId]) -> int:
        """Lease keys from now on; the seconds a holder may use them before it must ask again."""
        now = self._elapsed()
        end = now + _LEASE_NS
        self._ends.update((key, end) for key in keys)
        if len(self._ends) > _SWEEP_AT:
            self._ends = {key: until for key, until in self._ends.items() if until > now}
        return LEASE_SECONDS

    def over(self, keys: Iterable[KeyId]) -> list[KeyId]:
        """Those of the keys that nobody holds any more."""
        now = self._elapsed()
        if now < self._floor:
            return []
        return [key for key in keys if self._ends.get(key, 0) <= now]
