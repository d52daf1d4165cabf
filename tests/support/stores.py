"""A store in memory for tests of the vault: small, strict, and breakable before its n-th write."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from holdfast.kernel.errors import ConflictError, HoldfastError


class PlugPulled(BaseException):
    """The process died here."""


class DictStore:
    """Satisfies vault.ports.Store over a dict. `break_at` counts writes down; at 0 the next one does not happen."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = {} if objects is None else objects
        self.writes: list[str] = []
        self.break_at: int | None = None
        self.failure: BaseException = PlugPulled()

    def _write(self, name: str) -> None:
        if self.break_at is not None:
            if self.break_at == 0:
                if isinstance(self.failure, HoldfastError):
                    self.break_at = None
                raise self.failure
            self.break_at -= 1
        self.writes.append(name)

    def create(self, name: str, data: bytes) -> None:
        if name in self.objects:
            raise ConflictError("object-exists", "an object of that name exists", object=name)
        self._write(name)
        self.objects[name] = data

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        buffer = io.BytesIO()
        yield buffer
        self.create(name, buffer.getvalue())

    def replace(self, name: str, data: bytes) -> None:
        self._write(name)
        self.objects[name] = data

    def read(self, name: str) -> bytes:
        if name not in self.objects:
            raise ConflictError("object-missing", "no object of that name exists", object=name)
        return self.objects[name]

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self.read(name))

    def exists(self, name: str) -> bool:
        return name in self.objects

    def delete(self, name: str) -> None:
        self._write(name)
        self.objects.pop(name, None)

    def names(self, prefix: str = "") -> Iterator[str]:
        return iter(sorted(name for name in self.objects if name.startswith(prefix)))
