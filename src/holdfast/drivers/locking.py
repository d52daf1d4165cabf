"""One of each: a process locks its file for as long as it lives, and the kernel lets go when it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.kernel.errors import ConflictError


@contextmanager
def only_one(path: Path, process: str) -> Iterator[None]:
    """Hold the lock. ConflictError `already-running` if another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError("already-running", "it runs already on this home", process=process) from None
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock just now."""
    try:
        with only_one(path, ""):
            return False
    except ConflictError:
        return True
