"""SSH public keys: which lines are taken, and that fingerprints are OpenSSH's."""

import base64
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from holdfast.formats.sshkeys import fingerprint, parse_public_key
from holdfast.kernel.errors import MalformedError


def line_of(public: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def blob(*fields: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(field)) + field for field in fields)).decode()


def test_the_known_kinds_are_taken_with_or_without_a_comment() -> None:
    lines = [
        line_of(ed25519.Ed25519PrivateKey.generate().public_key()),
        *(
            line_of(ec.generate_private_key(curve).public_key())
            for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
        ),
        line_of(rsa.generate_private_key(65537, 3072).public_key()),
        "sk-ssh-ed25519@openssh.com " + blob(b"sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:"),
        "sk-ecdsa-sha2-nistp256@openssh.com "
        + blob(b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", b"\x04" + b"k" * 64, b"ssh:"),
    ]
    for line in lines:
        key = parse_public_key(line + " Ada's laptop")
        assert key == parse_public_key(line)
        assert key.text == line
        assert fingerprint(key.fingerprint) == key.fingerprint


def test_weak_rsa_is_refused() -> None:
    line = line_of(rsa.generate_private_key(65537, 2048).public_key())
    with pytest.raises(MalformedError, match="ssh-key-weak"):
        parse_public_key(line)


def test_dsa_is_refused() -> None:
    key = dsa.generate_private_key(1024).public_key()
    numbers = key.public_numbers()
    line = "ssh-dss " + blob(b"ssh-dss", b"\0" + numbers.y.to_bytes(128, "big"))
    with pytest.raises(MalformedError, match="ssh-key"):
        parse_public_key(line)


GOOD = blob(b"ssh-ed25519", b"k" * 32)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        f'command="x" ssh-ed25519 {GOOD}',
        f"ssh-rsa {GOOD}",
        f"ssh-ed25519  {GOOD}",
        f"ssh-ed25519 {GOOD}\nssh-ed25519 {GOOD}",
        "ssh-ed25519 " + blob(b"ssh-ed25519", b"k" * 31),
        "ssh-ed25519 " + base64.b64encode(base64.b64decode(GOOD) + b"x").decode(),
        "sk-ssh-ed25519@openssh.com " + blob(b"sk-ssh-ed25519@openssh.com", b"k" * 32),
        "sk-ssh-ed25519@openssh.com " + blob(b"ssh-ed25519", b"k" * 32, b"ssh:"),
        "ssh-ed25519 " + "A" * 10_000,
    ],
)
def test_what_is_not_one_plain_key_is_refused_and_not_repeated(line: str) -> None:
    with pytest.raises(MalformedError) as found:
        parse_public_key(line)
    assert GOOD not in str(found.value)
