"""Epoch keys as files beside the database, never in it (formats, Keys; access.ports.EpochKeys).

`<8 digits>.epoch` holds canonical JSON {"v":1,"installation","epoch","wrapped"}: the epoch key wrapped under the master
key and bound to installation and epoch. A file is made only if absent, durable before it is used, and never changed; to
end an epoch is to delete its file once no key record names it any more.
"""

import re
from pathlib import Path

from holdfast.access.ports import Randomness
from holdfast.drivers.durable import write_private
from holdfast.formats import canonical
from holdfast.formats.spelling import decode64, encode64
from holdfast.formats.wrapping import KEY_BYTES, NONCE_BYTES, KeyWrap, epoch_additional_data
from holdfast.kernel.errors import ConfigurationError, MalformedError, VerificationError
from holdfast.kernel.names import Installation
from holdfast.kernel.secrets import Secret

_NAME = re.compile(r"([0-9]{8})\.epoch\Z", re.ASCII)
_LIMIT = 4096


class EpochFiles:
    """The epoch keys of a folder. All are opened at start, so a wrong master key shows at once."""

    def __init__(self, folder: Path, installation: Installation, master_key: Secret) -> None:
        """ConfigurationError `master-key` if the key does not open them, `epoch-keys` if there is none."""
        self._folder = folder
        self._wraps: dict[int, KeyWrap] = {}
        master = _master_wrap(master_key)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            found = _NAME.match(path.name)
            if found:
                epoch = int(found[1])
                self._wraps[epoch] = _read(path, installation, epoch, master)
        if not self._wraps:
            raise ConfigurationError("epoch-keys", "there is no epoch key; `holdfast init` makes the first")
        self._current = max(self._wraps)

    @property
    def current(self) -> int:
        """The epoch new keys are wrapped under."""
        return self._current

    def wrap_of(self, epoch: int) -> KeyWrap:
        """The epoch's key at work. ConfigurationError `epoch-missing` if its file is not there."""
        wrap = self._wraps.get(epoch)
        if wrap is None:
            raise ConfigurationError("epoch-missing", "an epoch key that key records name is not there", epoch=epoch)
        return wrap


def begin_epoch(
    folder: Path, installation: Installation, master_key: Secret, epoch: int, randomness: Randomness
) -> None:
    """Make the epoch's key file, durable when it returns; one that is there is left alone."""
    path = folder / f"{epoch:08d}.epoch"
    if path.exists():
        return
    key = Secret(randomness.bytes(KEY_BYTES))
    additional = epoch_additional_data(installation, epoch)
    wrapped = _master_wrap(master_key).wrap(key, randomness.bytes(NONCE_BYTES), additional)
    data = canonical.dump({"v": 1, "installation": installation, "epoch": epoch, "wrapped": encode64(wrapped)})
    write_private(path, data)  # `_NAME` does not match what a crash may leave of this


def _master_wrap(master_key: Secret) -> KeyWrap:
    try:
        return KeyWrap(master_key)
    except MalformedError:
        raise ConfigurationError("master-key", "a master key is 32 bytes") from None


def _read(path: Path, installation: Installation, epoch: int, master: KeyWrap) -> KeyWrap:
    try:
        if path.stat().st_size > _LIMIT:
            raise MalformedError("epoch-file", "an epoch file is too large")
        members = canonical.load_object(path.read_bytes())
        if set(members) != {"v", "installation", "epoch", "wrapped"} or members["v"] != 1:
            raise MalformedError("epoch-file", "an epoch file is not one")
        wrapped = decode64(str(members["wrapped"]), NONCE_BYTES + KEY_BYTES + 16)
    except (OSError, MalformedError):
        raise ConfigurationError("epoch-file", "an epoch key file cannot be read", file=path.name) from None
    try:
        return KeyWrap(master.unwrap(wrapped, epoch_additional_data(installation, epoch)))
    except VerificationError:
        raise ConfigurationError("master-key", "the master key does not open this epoch key", file=path.name) from None
