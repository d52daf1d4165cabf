"""Files of one's own, whole and durable: what a power cut leaves is the old file, or the new one, or none."""

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Put a file that only its owner reads (0600) at the path, in the place of what is there; durable when it returns.

    A crash may leave `<name>.new`, which the next call replaces.
    """
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a folder's names durable: a name is as lost in a power cut as bytes are."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
