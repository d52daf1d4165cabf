"""A disk of a few MiB that really runs full: a tmpfs of its own where mounting is allowed, else a folder of /dev/shm,
which is then filled up itself. ENOSPC comes from the kernel either way."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
_SHARED = Path("/dev/shm")
_SHARED_LIMIT = 1024 * MIB


@dataclass(frozen=True)
class SmallDisk:
    """`path` lies on it; the ballast too."""

    path: Path
    ballast: Path

    def fill(self, leave: int = 0) -> None:
        """Use it up, but for so many bytes."""
        descriptor = os.open(self.ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        with contextlib.suppress(OSError):
            while True:
                os.write(descriptor, bytes(4096))
        os.close(descriptor)
        os.truncate(self.ballast, max(0, self.ballast.stat().st_size - leave))

    def free(self) -> None:
        """There is space again."""
        self.ballast.unlink()


@contextmanager
def small_disk(path: Path, mib: int, ballast: str = "ballast") -> Iterator[SmallDisk]:
    """An empty folder on a disk of its own; gone at the end, with all that is on it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        try:
            yield SmallDisk(path, path / ballast)
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True)
        return
    free = shutil.disk_usage(_SHARED).free
    assert mib * MIB < free < _SHARED_LIMIT, "no disk to fill: mounting is not allowed and /dev/shm does not serve"
    with tempfile.TemporaryDirectory(dir=_SHARED) as folder, (Path(folder) / "taken").open("wb") as taken:
        os.posix_fallocate(taken.fileno(), 0, free - mib * MIB)
        (Path(folder) / "disk").mkdir(mode=0o700)
        path.rmdir()
        path.symlink_to(Path(folder) / "disk")
        yield SmallDisk(path, path / ballast)
        path.unlink()
