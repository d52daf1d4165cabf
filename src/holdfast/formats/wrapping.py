"""Wrapped keys ⇄ keys (formats, Keys): AES-256-GCM, the key's record as additional data.

Wrapped bytes are `nonce (12) ‖ ciphertext ‖ tag (16)`. Wrapped bytes moved to another record do not open.
"""

import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import canonical
from holdfast.formats.entries import key_commitment
from holdfast.formats.spelling import encode64
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Day
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, Installation, KeyId, NodeName, Stream
from holdfast.kernel.secrets import Secret

KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a data key beside its bytes. `node` and `stream` are None for a pseudonym key."""

    id: KeyId
    kind: KeyKind
    environment: EnvironmentName
    stream: Stream | None
    day: Day
    node: NodeName | None
    epoch: int
    commitment: str

    def additional_data(self) -> bytes:
        """Canonical JSON of the record: what the wrapping is bound to."""
        # Names in JCS order and, by their types, ASCII only: so `json` writes the canonical form, much faster.
        record = {
            "commitment": self.commitment,
            "day": self.day,
            "environment": self.environment,
            "epoch": self.epoch,
            "id": self.id,
            "kind": self.kind.value,
            "node": self.node or "",
            "stream": self.stream.value if self.stream else "",
            "v": 1,
        }
        return json.dumps(record, separators=(",", ":")).encode()


def commitment(key: Secret) -> str:
    """base64 H(0x02 ‖ key bytes)."""
    return encode64(key_commitment(key))


class KeyWrap:
    """An epoch key at work, its cipher kept ready. 32 bytes; MalformedError `key-length` otherwise."""

    __slots__ = ("_cipher",)

    def __init__(self, wrapping_key: Secret) -> None:
        if len(wrapping_key.reveal()) != KEY_BYTES:
            raise MalformedError("key-length", "a wrapping key is 32 bytes")
        self._cipher = AESGCM(wrapping_key.reveal())

    def __repr__(self) -> str:
        return "<key wrap>"

    def wrap(self, key: Secret, nonce: bytes, additional_data: bytes) -> bytes:
        """The wrapped bytes. The nonce is 12 bytes, never used twice with this wrapping key."""
        return nonce + self._cipher.encrypt(nonce, key.reveal(), additional_data)

    def unwrap(self, wrapped: bytes, additional_data: bytes) -> Secret:
        """The key again. VerificationError `wrapped-key` if bytes, record or wrapping key are not the ones."""
        try:
            return Secret(self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], additional_data))
        except (InvalidTag, ValueError):
            raise VerificationError("wrapped-key", "wrapped key bytes do not open under this key and record") from None


def epoch_additional_data(installation: Installation, epoch: int) -> bytes:
    """What a wrapped epoch key is bound to."""
    return canonical.dump({"v": 1, "kind": "epoch", "installation": installation, "epoch": epoch})
