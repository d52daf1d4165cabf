"""A home is its owner's alone. Anything looser refuses to start, and says what to type."""

import os
import stat
from pathlib import Path

from holdfast.kernel.errors import ConfigurationError


def check_permissions(root: Path, keys: Path, run: Path, epochs: Path) -> None:
    """Nothing, if home, keys, epoch keys (where there are any) and sockets belong to who runs this and nobody else may
    look in.

    ConfigurationError `loose-permissions` or `wrong-owner` with the command that mends it, `not-in-home` for what is
    missing or a link.
    """
    _check(root, root.stat(), folder=True)
    for folder in (keys, run):
        _check(folder, _look(folder), folder=True)
    for file in sorted((*keys.iterdir(), *(epochs.iterdir() if epochs.is_dir() else ()))):
        _check(file, _look(file), folder=False)


def _look(path: Path) -> os.stat_result:
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise ConfigurationError("not-in-home", "something is missing from the home", path=str(path)) from None
    if stat.S_ISLNK(found.st_mode):
        raise ConfigurationError("not-in-home", "a link stands where the home has a file of its own", path=str(path))
    return found


def _check(path: Path, found: os.stat_result, *, folder: bool) -> None:
    if found.st_uid != os.geteuid():
        raise ConfigurationError(
            "wrong-owner", "a file belongs to somebody else", path=str(path), type=f"chown {os.geteuid()} {path}"
        )
    if found.st_mode & 0o077:
        mode = 700 if folder else 600
        raise ConfigurationError(
            "loose-permissions", "others may look into a home", path=str(path), type=f"chmod {mode} {path}"
        )
