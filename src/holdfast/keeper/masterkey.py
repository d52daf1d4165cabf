"""The master key file: 32 bytes, mode 0600, made once."""

import stat
from pathlib import Path

from holdfast.access.ports import Randomness
from holdfast.drivers.durable import write_private
from holdfast.formats.wrapping import KEY_BYTES
from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.secrets import Secret


def read_master_key(path: Path) -> Secret:
    """The master key. ConfigurationError `master-key` if it is missing, of another length, or open to others."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError("master-key", "the master key file is open to others (chmod 600)", file=str(path))
        with path.open("rb") as file:
            data = file.read(KEY_BYTES + 1)
    except OSError:
        raise ConfigurationError("master-key", "the master key file cannot be read", file=str(path)) from None
    if len(data) != KEY_BYTES:
        raise ConfigurationError("master-key", "a master key is 32 bytes", file=str(path))
    return Secret(data)


def begin_master_key(path: Path, randomness: Randomness) -> None:
    """Make the file, durable when this returns; one that is there is left alone."""
    if not path.exists():
        write_private(path, randomness.bytes(KEY_BYTES))
