"""Lines of `authorized_keys` → the public key they hold, checked (RFC 4253 section 6.6, RFC 5656, PROTOCOL.u2f).

Only whole, plain keys: no options, a known algorithm, every byte of the blob accounted for, RSA of 3072 bits or more.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from holdfast.formats.spelling import decode64
from holdfast.kernel.errors import MalformedError

RSA_LEAST_BITS = 3072
RSA_MOST_BITS = 16384
_LINE_LIMIT = 8192
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}\Z", re.ASCII)
_PLAIN = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}
_SK_ED25519 = "sk-ssh-ed25519@openssh.com"
_SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"


@dataclass(frozen=True, slots=True)
class SshPublicKey:
    """An SSH public key: its algorithm, its base64 blob, and its fingerprint as OpenSSH prints it."""

    algorithm: str
    blob: str
    fingerprint: str

    @property
    def text(self) -> str:
        """The `authorized_keys` line, without comment."""
        return f"{self.algorithm} {self.blob}"


def parse_public_key(line: str) -> SshPublicKey:
    """The key of one line; a comment is dropped. MalformedError `ssh-key`, never with the line in it."""
    parts = line.split(" ", 2)
    if len(line) > _LINE_LIMIT or len(parts) < 2 or not line.isprintable():
        raise _malformed()
    algorithm, text = parts[0], parts[1]
    blob = decode64(text)
    if algorithm in _PLAIN:
        _check_plain(algorithm, text)
    elif algorithm == _SK_ED25519:
        _expect(_strings(blob, 3), algorithm, (None, 32, None))
    elif algorithm == _SK_ECDSA:
        fields = _strings(blob, 4)
        _expect(fields, algorithm, (None, None, 65, None))
        if fields[1] != b"nistp256" or fields[2][:1] != b"\x04":
            raise _malformed()
    else:
        raise _malformed()
    return SshPublicKey(algorithm, text, fingerprint_of(blob))


def fingerprint_of(blob: bytes) -> str:
    """`SHA256:` and unpadded base64, as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def fingerprint(text: str) -> str:
    """The fingerprint, checked."""
    if not _FINGERPRINT.match(text):
        raise MalformedError("fingerprint", "a fingerprint is written SHA256:, then 43 base64 characters")
    return text


def _check_plain(algorithm: str, text: str) -> None:
    try:
        key = load_ssh_public_key(f"{algorithm} {text}".encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _malformed() from None
    if isinstance(key, RSAPublicKey) and not RSA_LEAST_BITS <= key.key_size <= RSA_MOST_BITS:
        raise MalformedError("ssh-key-weak", "an RSA key has 3072 to 16384 bits", bits=key.key_size)


def _strings(blob: bytes, count: int) -> list[bytes]:
    fields, at = [], 0
    for _ in range(count):
        length = int.from_bytes(blob[at : at + 4], "big")
        field = blob[at + 4 : at + 4 + length]
        if at + 4 > len(blob) or len(field) != length:
            raise _malformed()
        fields.append(field)
        at += 4 + length
    if at != len(blob):
        raise _malformed()
    return fields


def _expect(fields: list[bytes], algorithm: str, lengths: tuple[int | None, ...]) -> None:
    if fields[0] != algorithm.encode() or not fields[-1]:
        raise _malformed()
    if any(length is not None and len(field) != length for field, length in zip(fields, lengths, strict=True)):
        raise _malformed()


def _malformed() -> MalformedError:
    return MalformedError(
        "ssh-key", "an SSH key is one authorized_keys line without options: ed25519, ecdsa, rsa or a security key"
    )
