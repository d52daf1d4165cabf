"""What was decoded, kept for a while: for all readers together, in one bound of bytes; the least used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Hashable


class Kept:
    """Values by owner and key. Any thread. A value larger than the bound is kept until the next comes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._values: OrderedDict[tuple[object, Hashable], tuple[object, int]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, owner: object, key: Hashable, value: object, size: int) -> None:
        """Keep a value of so many bytes."""
        with self._lock:
            self._pop((owner, key))
            self._values[owner, key] = value, size
            self._bytes += size
            while self._bytes > self._limit and len(self._values) > 1:
                self._bytes -= self._values.popitem(last=False)[1][1]

    def get(self, owner: object, key: Hashable) -> object | None:
        """The value, if it is still kept."""
        with self._lock:
            found = self._values.get((owner, key))
            if found is None:
                return None
            self._values.move_to_end((owner, key))
            return found[0]

    def drop(self, owner: object, key: Hashable) -> None:
        """Forget a value, kept or not."""
        with self._lock:
            self._pop((owner, key))

    def _pop(self, place: tuple[object, Hashable]) -> None:
        found = self._values.pop(place, None)
        if found is not None:
            self._bytes -= found[1]
