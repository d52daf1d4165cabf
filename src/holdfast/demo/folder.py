"""The folder `demo/` in the home: people's keys and ssh configurations, the register, a token, the sample application.

Made once, in this order: keys → register applied → token → `register.toml`, which says that all the rest is done. A
crash before that makes the rest again with the same keys (a second token does no harm). What names paths and ports, the
ssh configurations and `flip.py`, is written at every start: the home may have moved.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from holdfast.demo.platform import INSTALLATION, Platform
from holdfast.demo.register import ACME, PEOPLE, register_text
from holdfast.kernel.names import EnvironmentName
from holdfast.kernel.secrets import Secret

_CONFIGURATION = """\
# {person}'s way in: ssh -F FILE ENVIRONMENT@localhost, the environment acme/main being acme--main
Host *
    HostName {address}
    Port {port}
    IdentityFile "{key}"
    IdentitiesOnly yes
    IdentityAgent none
    HostKeyAlias {installation}
    UserKnownHostsFile "{known_hosts}"
    StrictHostKeyChecking yes
    PreferredAuthentications publickey
    BatchMode yes
"""
_FLIP = '''\
"""Flips one bit of the file named, or of the largest segment: what somebody with write access could do."""
import os
import pathlib
import sys

stores = pathlib.Path(__file__).resolve().parent.parent / "stores"
segments = sorted(stores.rglob("*.parquet"), key=lambda path: path.stat().st_size)
path = pathlib.Path(sys.argv[1]) if sys.argv[1:] else segments[-1] if segments else None
if path is None:
    sys.exit("no segment yet: lines are in the journal first, and sealed half a minute later")
with path.open("r+b") as file:
    at = path.stat().st_size // 2
    file.seek(at)
    (byte,) = file.read(1)
    file.seek(at)
    file.write(bytes([byte ^ 1]))
path = os.path.relpath(path)
print(f"flipped a bit of byte {at} of {path}")
print(f"to flip it back: python3 {sys.argv[0]} {path}")
'''


class DemoFolder:
    """Where things lie."""

    def __init__(self, home: Path) -> None:
        self.path = home / "demo"
        self.register = self.path / "register.toml"
        self.token = self.path / "acme.token"
        self.application_log = self.path / "laravel.log"
        self.sending = self.path / "send"
        self.flip = self.path / "flip.py"
        self._begun = self.path / "begun"

    def configuration(self, person: str) -> Path:
        """A person's ssh configuration, for `ssh -F`."""
        return self.path / person

    def key(self, person: str) -> Path:
        """A person's private key."""
        return self.path / f"{person}.key"

    @property
    def whole(self) -> bool:
        """Whether it was made to its end."""
        return self.register.exists()

    @property
    def new(self) -> bool:
        """Whether nothing was played in it yet."""
        return not self._begun.exists()

    def begun(self) -> None:
        """Something was."""
        _write(self._begun, b"")

    def make(
        self, apply: Callable[[Mapping[str, Any]], object], new_token: Callable[[EnvironmentName, str], Secret]
    ) -> None:
        """Make it; the keeper is asked through `apply` and `new_token`."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        text = register_text({person: self._public_key(person) for person in PEOPLE})
        apply(tomllib.loads(text))
        _write(self.token, new_token(EnvironmentName(ACME), "the demo's application log").reveal() + b"\n")
        _write(self.register, text.encode())

    def refresh(self, platform: Platform) -> None:
        """Write what names paths and ports."""
        address, port = platform.gateway
        for person in PEOPLE:
            text = _CONFIGURATION.format(
                person=person,
                address=address,
                port=port,
                key=_quoted(self.key(person)),
                installation=INSTALLATION,
                known_hosts=_quoted(platform.known_hosts),
            )
            _write(self.configuration(person), text.encode())
        _write(self.flip, _FLIP.encode())

    def _public_key(self, person: str) -> str:
        path = self.key(person)
        if path.exists():
            key = load_ssh_private_key(path.read_bytes(), None)
            assert isinstance(key, Ed25519PrivateKey)
        else:
            key = Ed25519PrivateKey.generate()
            _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        return f"{key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {person}"


def _quoted(path: Path) -> str:
    """As ssh_config reads it between quotes: a percent sign begins a token."""
    return str(path).replace("%", "%%")


def _write(path: Path, data: bytes) -> None:
    """The file whole or as it was, its owner's alone."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
