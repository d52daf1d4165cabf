"""A store in memory that notes what is written to it, for tests of the order of writes."""

from holdfast.drivers.memory import Faults, MemoryStore


class NotingStore(MemoryStore):
    """`writes` holds the names of what was written, in order."""

    def __init__(self, objects: dict[str, bytes] | None = None, faults: Faults | None = None) -> None:
        super().__init__(objects, faults)
        self.writes: list[str] = []

    def create(self, name: str, data: bytes) -> None:
        super().create(name, data)
        self.writes.append(name)

    def replace(self, name: str, data: bytes) -> None:
        super().replace(name, data)
        self.writes.append(name)
