"""A file object that keeps the SHA-256 and the length of what is written through it."""

import hashlib
import io
from typing import BinaryIO


class Digesting(io.RawIOBase):
    """Passes writes on to another file object, which its owner closes."""

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__()
        self._sink = sink
        self._digest = hashlib.sha256()
        self.written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def]  # any buffer, as RawIOBase has it
        """Write all of it."""
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self._sink.write(view)
        self.written += len(view)
        return len(view)

    def tell(self) -> int:
        """Bytes written so far."""
        return self.written

    def digest(self) -> bytes:
        """SHA-256 of all bytes so far."""
        return self._digest.digest()

    def hexdigest(self) -> str:
        """The same in hexadecimal."""
        return self._digest.hexdigest()
