"""Who may come in at all: bounds on connections that have not shown a key yet, and on connections altogether."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Connections at once, seconds to log in, keys to try, channels at once on one connection."""

    unauthenticated: int = 100
    unauthenticated_from_one: int = 30
    authenticated: int = 500
    from_one_person: int = 50
    login_seconds: int = 20
    keys: int = 12
    channels: int = 16
    handles: int = 256


class Admission:
    """Counts connections. `address` tells apart where they come from."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._waiting: Counter[str] = Counter()
        self._inside: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Whether one more may come and show a key. If so, `leave` or `promote` follows."""
        if (
            self._waiting.total() >= self._bounds.unauthenticated
            or self._waiting[address] >= self._bounds.unauthenticated_from_one
        ):
            return False
        self._waiting[address] += 1
        return True

    def promote(self, address: str, person: str) -> bool:
        """It has shown its key: whether it may stay. In any case it waits no longer; if so, `part` follows."""
        self.leave(address)
        if self._inside.total() >= self._bounds.authenticated or self._inside[person] >= self._bounds.from_one_person:
            return False
        self._inside[person] += 1
        return True

    def leave(self, address: str) -> None:
        """It went before it had shown a key."""
        _less(self._waiting, address)

    def part(self, person: str) -> None:
        """It was inside, and went."""
        _less(self._inside, person)


def _less(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]
