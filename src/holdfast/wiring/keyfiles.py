"""Key files of a home: made once, 0600, durable; read back whole."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from holdfast.drivers.durable import write_private
from holdfast.formats.notes import NoteSigner, parse_signing_key, signer
from holdfast.formats.promises import PromiseSigner
from holdfast.kernel.errors import ConfigurationError, MalformedError
from holdfast.kernel.secrets import Secret
from holdfast.vault.ports import Randomness

LIMIT = 16 << 10


def read_secret(path: Path) -> Secret:
    """A key file's bytes. ConfigurationError `key-file` if it is missing, empty or too large."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or "") from None
    if not 0 < len(data) <= LIMIT:
        raise _unreadable(path, "empty or too large")
    return Secret(data)


def make_signing_key(path: Path, name: str, randomness: Randomness) -> str:
    """A new Ed25519 signing key, as signed notes spell it; its verifier key."""
    made = signer(name, randomness.bytes(32))
    write_private(path, made.encode().reveal() + b"\n")
    return made.verifier().vkey()


def read_signing_key(path: Path, name: str) -> NoteSigner:
    """The signing key of that name. ConfigurationError `key-file` if the file is none, or another's."""
    try:
        found = parse_signing_key(read_secret(path))
    except MalformedError:
        raise _unreadable(path, "not a signing key") from None
    if found.name != name:
        raise _unreadable(path, "the key of another log")
    return found


def read_promise_key(path: Path, name: str) -> PromiseSigner:
    """A node's promise key."""
    found = read_signing_key(path, name)
    return PromiseSigner(name, Ed25519PrivateKey.from_private_bytes(found.seed.reveal()))


def make_host_key(path: Path, randomness: Randomness) -> str:
    """A new SSH host key in OpenSSH's own format; its public half as `ssh-ed25519 AAAA...`."""
    key = Ed25519PrivateKey.from_private_bytes(randomness.bytes(32))
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _unreadable(path: Path, cause: str) -> ConfigurationError:
    return ConfigurationError("key-file", "a key file cannot be used", file=str(path), cause=cause)
