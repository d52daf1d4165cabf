"""Signed notes (c2sp.org/signed-note): text ending in a newline, a blank line, signature lines.

    — <key name> base64(key ID ‖ signature)

Only Ed25519 (type 0x01) is signed and verified here. Signatures of keys nobody asked for are carried, not judged; a
signature that names a known key and does not verify condemns the whole note. Keys are spelled as golang.org/x/mod
sumdb/note does: a verifier key `name+hash+base64`, a signing key `PRIVATE+KEY+name+hash+base64`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.formats.spelling import decode64, encode64
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.secrets import Secret

ED25519 = b"\x01"
SEED = 32
PUBLIC_KEY = 32
NOTE_LIMIT = 1_000_000
SIGNATURE_LIMIT = 100
"""Signatures on one note; the specification asks for at least 16."""
NAME_LIMIT = 1000

_HASH = re.compile(r"[0-9a-f]{8}\Z", re.ASCII)
_LINE = "— "


def key_name(text: str) -> str:
    """The name, checked: not empty, no spaces, no `+`, nothing that does not print on a line of its own."""
    if not 0 < len(text) <= NAME_LIMIT or "+" in text or any(char.isspace() or char < " " for char in text):
        raise MalformedError("key-name", "a key name is not empty and holds no space and no +")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedError("key-name", "a key name is UTF-8 text") from None
    return text


def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not judged yet. `key_id` is 4 bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line, its newline included."""
        return f"{_LINE}{self.name} {encode64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart. The text ends in a newline and says nothing until a signature has been verified."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return "".join((self.text, "\n", *(signature.line() for signature in self.signatures))).encode()


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key and its name."""

    name: str
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self.public_key) != PUBLIC_KEY:
            raise MalformedError("public-key", "an Ed25519 public key is 32 bytes", length=len(self.public_key))
        object.__setattr__(self, "key_id", _key_id(key_name(self.name), self.public_key))

    def vkey(self) -> str:
        """The verifier key as text: `name+hash+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(ED25519 + self.public_key)}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private key (the 32-byte seed of RFC 8032) and its name."""

    name: str
    seed: Secret

    def _private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed.reveal())

    def verifier(self) -> NoteVerifier:
        """Its public half."""
        return NoteVerifier(self.name, self._private_key().public_key().public_bytes_raw())

    def sign(self, text: bytes) -> Signature:
        """The signature over the text."""
        return Signature(self.name, self.verifier().key_id, self._private_key().sign(text))

    def encode(self) -> Secret:
        """The signing key as text, for a file only its owner reads."""
        hash_text = self.verifier().key_id.hex()
        return Secret(f"PRIVATE+KEY+{self.name}+{hash_text}+{encode64(ED25519 + self.seed.reveal())}".encode())


def signer(name: str, seed: bytes) -> NoteSigner:
    """The signing key of 32 random bytes, which the caller brings."""
    if len(seed) != SEED:
        raise MalformedError("signing-key", "the seed of an Ed25519 key is 32 bytes", length=len(seed))
    return NoteSigner(key_name(name), Secret(seed))


def parse_vkey(text: str) -> NoteVerifier:
    """The verifier of `name+hash+base64`. MalformedError if it does not read or its hash is not that of its key."""
    parts = text.split("+", 2)
    if len(text) <= 2 * NAME_LIMIT and len(parts) == 3 and _HASH.match(parts[1]):
        data = decode64(parts[2])
        if data[:1] != ED25519:
            raise MalformedError("verifier-key-type", "only Ed25519 verifier keys (type 0x01) are understood")
        verifier = NoteVerifier(parts[0], data[1:])
        if verifier.vkey() == text:
            return verifier
    raise MalformedError("verifier-key", "a verifier key is written name+hash+base64, with the hash of its own key")


def parse_signing_key(text: Secret) -> NoteSigner:
    """The signer of `PRIVATE+KEY+name+hash+base64` (a trailing newline is allowed). MalformedError otherwise."""
    data = text.reveal().removesuffix(b"\n")
    parts = data.split(b"+", 4)
    if len(data) <= 2 * NAME_LIMIT and len(parts) == 5 and parts[:2] == [b"PRIVATE", b"KEY"]:
        try:
            key = decode64(parts[4].decode(), 1 + SEED)
            found = signer(parts[2].decode(), key[1:])
        except (UnicodeDecodeError, MalformedError):
            found = None
        if found is not None and found.encode().reveal() == data:
            return found
    raise MalformedError("signing-key", "a signing key is written PRIVATE+KEY+name+hash+base64")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise MalformedError("note-text", "a note's text ends in a newline and holds no control characters")


def _parse_signature(line: str) -> Signature:
    name, space, blob = line.removeprefix(_LINE).partition(" ")
    if not line.startswith(_LINE) or not space:
        raise MalformedError("note-signature", "a note's signature line does not read")
    data = decode64(blob)
    if len(data) < 5:
        raise MalformedError("note-signature", "a note's signature is too short")
    return Signature(key_name(name), data[:4], data[4:])


def parse_note(data: bytes) -> Note:
    """The note, taken apart and not yet verified. MalformedError for anything the specification does not allow."""
    if len(data) > NOTE_LIMIT:
        raise MalformedError("note-size", "a note is too large", limit=NOTE_LIMIT)
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise MalformedError("note-text", "a note is UTF-8 text") from None
    _check_text(whole)
    cut = whole.rfind("\n\n")
    lines = whole[cut + 2 :].split("\n")[:-1]
    if cut < 0 or not lines:
        raise MalformedError("note-unsigned", "a note has a blank line and signatures after its text")
    if len(lines) > SIGNATURE_LIMIT:
        raise MalformedError("note-signatures", "a note has too many signatures", limit=SIGNATURE_LIMIT)
    return Note(whole[: cut + 1], tuple(_parse_signature(line) for line in lines))


def open_note(data: bytes, verifiers: Sequence[NoteVerifier]) -> Note:
    """The note, signed by at least one of the verifiers; only their signatures are kept, one of each.

    MalformedError if it does not read, VerificationError if a known key's signature is wrong or there is none.
    """
    note = parse_note(data)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: dict[tuple[str, bytes], Signature] = {}
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None or (signature.name, signature.key_id) in verified:
            continue
        if not verifier.verifies(note.text.encode(), signature.signature):
            raise VerificationError("note-signature", "a signature on a note is not that of its key")
        verified[signature.name, signature.key_id] = signature
    if not verified:
        raise VerificationError("note-unverified", "no signature on a note is by a known key")
    return Note(note.text, tuple(verified.values()))


def sign_note(text: str, signers: Sequence[NoteSigner], existing: Sequence[Signature] = ()) -> bytes:
    """The note's bytes: the text, the signatures it had (other keys' only), then the signers' own."""
    _check_text(text)
    new = [signer.sign(text.encode()) for signer in signers]
    replaced = {(signature.name, signature.key_id) for signature in new}
    kept = [signature for signature in existing if (signature.name, signature.key_id) not in replaced]
    return Note(text, (*kept, *new)).encode()
