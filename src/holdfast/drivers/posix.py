"""Objects on a local disk, durable: `PosixStore` satisfies `vault.ports.Store`.

A new object is written to a temporary file in the hidden folder `.partial` of the same file system, synced, linked to
its name (link(2) fails if the name is taken, so nothing is ever overwritten), and then its folder is synced, for a name
is as lost in a power cut as bytes are. Folders made on the way are synced into their parents first. A crash leaves
either no object or the whole of it, and perhaps a temporary file. The next process to open the store removes it:
a temporary file in use is locked, so that a reader beside a writer takes nothing away from it.
"""

import contextlib
import errno
import fcntl
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from holdfast.drivers.durable import sync_folder
from holdfast.kernel.errors import BusyError, ConflictError, MalformedError, OutcomeUnknownError

_PARTIAL = ".partial"
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}\Z", re.ASCII)
_FULL = (errno.ENOSPC, errno.EDQUOT)


class PosixStore:
    """Objects as files below a folder, which is made if it is not there. Files 0600, folders 0700."""

    def __init__(self, root: Path) -> None:
        self.__setstate__(root)
        try:
            made = [folder for folder in (root, *root.parents) if not folder.exists()] or [root]
            for folder in reversed(made):
                folder.mkdir(mode=0o700, exist_ok=True)
                sync_folder(folder.parent)
            self._folder(self._partial)
            for left in self._partial.iterdir():
                _remove_abandoned(left)
        except OSError as error:
            _failed(error)

    def __getstate__(self) -> Path:
        """Where it is: all that another process needs to open objects, as `verify` has several do."""
        return self._root

    def __setstate__(self, root: Path) -> None:
        self._root = root
        self._partial = root / _PARTIAL
        self._lock = threading.Lock()
        self._durable: set[Path] = set()

    def create(self, name: str, data: bytes) -> None:
        """Make the object, durably. ConflictError `object-exists` if the name is taken, BusyError `no-space`."""
        with self.writing(name) as sink:
            sink.write(data)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Stream a new object; it appears, durable and whole, when the block ends without an error."""
        path = self._path(name)
        if path.exists():
            raise _exists(name)
        with self._temporary() as (temporary, sink):
            yield sink
            try:
                _finish(sink)
                self._folder(path.parent)
                os.link(temporary, path)
            except FileExistsError:
                raise _exists(name) from None
            except OSError as error:
                _failed(error)
            _publish(path.parent)

    def replace(self, name: str, data: bytes) -> None:
        """Atomically put these bytes in the object's place, durably."""
        path = self._path(name)
        with self._temporary() as (temporary, sink):
            try:
                sink.write(data)
                _finish(sink)
                self._folder(path.parent)
                temporary.rename(path)
            except OSError as error:
                _failed(error)
            _publish(path.parent)

    def read(self, name: str) -> bytes:
        """The object's bytes. ConflictError `object-missing` if it is not there."""
        with self.open(name) as source:
            try:
                return source.read()
            except OSError as error:
                _failed(error)

    def open(self, name: str) -> BinaryIO:
        """The object for seeking and reading. ConflictError `object-missing` if it is not there."""
        path = self._path(name)
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ConflictError("object-missing", "the store does not hold this object", object=name) from None
        except OSError as error:
            _failed(error)

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        """Remove the object, durably. Quiet if it is not there."""
        path = self._path(name)
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            _failed(error)
        _publish(path.parent)

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every object's name that begins with the prefix, sorted as text; temporary files are left out."""
        folder, _, _ = prefix.rpartition("/")
        start = self._path(folder) if folder else self._root
        return self._names(start, f"{folder}/" if folder else "", prefix)

    def _names(self, folder: Path, base: str, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(folder) as found:
                # A folder sorts as its name and a slash, or `a/b` would come before `a-b`.
                children = sorted(
                    child.name + "/" if child.is_dir(follow_symlinks=False) else child.name
                    for child in found
                    if not child.name.startswith(".")
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            _failed(error)
        for child in children:
            name = base + child
            if not (name.startswith(prefix) or prefix.startswith(name)):
                continue
            if child.endswith("/"):
                yield from self._names(folder / child, name, prefix)
            elif name.startswith(prefix):
                yield name

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if len(name) > 1024 or not all(_PART.match(part) for part in parts):
            raise MalformedError("object-name", "an object's name is made of plain words and slashes")
        return self._root.joinpath(*parts)

    def _folder(self, path: Path) -> None:
        """Make a folder and its parents up to the root; each one is synced into its parent once per process, for one
        found there may be left from a crash before its sync."""
        if path in self._durable or path == self._root:
            return
        self._folder(path.parent)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        sync_folder(path.parent)
        with self._lock:
            self._durable.add(path)

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[tuple[Path, BinaryIO]]:
        try:
            descriptor, made = tempfile.mkstemp(dir=self._partial)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            _failed(error)
        path = Path(made)
        sink = os.fdopen(descriptor, "wb", buffering=1 << 18)
        try:
            yield path, sink
        except OSError as error:
            _failed(error)
        finally:
            with contextlib.suppress(OSError):
                sink.close()
            with contextlib.suppress(OSError):
                path.unlink()


def _remove_abandoned(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        path.unlink()


def _finish(sink: BinaryIO) -> None:
    sink.flush()
    os.fsync(sink.fileno())


def _publish(folder: Path) -> None:
    try:
        sync_folder(folder)
    except OSError as error:
        raise OutcomeUnknownError(
            "store-outcome", "whether the change to the store is durable is not known", errno=error.errno or 0
        ) from None


def _exists(name: str) -> ConflictError:
    return ConflictError("object-exists", "the store holds an object of this name already", object=name)


def _failed(error: OSError) -> NoReturn:
    if error.errno in _FULL:
        raise BusyError("no-space", "the disk is full") from None
    raise OutcomeUnknownError(
        "store-failed", "the disk did not do what was asked of it", errno=error.errno or 0
    ) from None
