"""Promises: what a node signs when it acknowledges lines over HTTP (formats, Promise).

A promise says: this node has made lines of this stream durable, in a batch of this root, first number and count, at
this time; its log will hold that batch within 10 seconds. It is signed with a key of its own, named
`<installation>/<node>/promise`.

The text signed is a C2SP signed note's, UTF-8, each line ended by LF, exactly these nine:

    holdfast promise v1
    <key name>
    node <node>
    environment <project>/<environment>
    stream <stream>
    first <decimal number of the batch's first line>
    count <decimal number of its lines>
    root <base64 of the batch root>
    time <RFC 3339 UTC with nine decimals>

The note is that text, an empty line, and `— <key name> <base64(4 bytes of key hash ‖ 64 bytes of Ed25519 signature)>`.
The key hash is the first 4 bytes of SHA-256(key name ‖ LF ‖ 0x01 ‖ public key); the verifier key is
`<key name>+<hash as 8 hexadecimal digits>+<base64(0x01 ‖ public key)>`. Ed25519 is deterministic: a chunk sent again
gets the very same promise.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.formats.canonical import Json
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Instant, parse_rfc3339, rfc3339
from holdfast.kernel.names import EnvironmentName, NodeName, Stream, environment_name, node_name

_HASH = 32
_ED25519 = b"\x01"
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,19})\Z", re.ASCII)
_KEY_NAME = re.compile(r"[!-*,-~]{1,255}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Promise:
    """Lines of a batch, made durable by a node. `root` is the batch root, `time` the flush's."""

    environment: EnvironmentName
    stream: Stream
    node: NodeName
    first: int
    count: int
    root: bytes
    time: Instant

    def text(self, key_name: str) -> bytes:
        """The exact bytes that are signed."""
        return (
            f"holdfast promise v1\n{key_name}\nnode {self.node}\nenvironment {self.environment}\n"
            f"stream {self.stream.value}\nfirst {self.first}\ncount {self.count}\n"
            f"root {base64.b64encode(self.root).decode()}\ntime {rfc3339(self.time)}\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class PromiseSigner:
    """A node's promise key, with its name."""

    key_name: str
    private: Ed25519PrivateKey

    def __post_init__(self) -> None:
        _checked_name(self.key_name)

    def __repr__(self) -> str:
        return f"PromiseSigner({self.key_name!r})"

    def sign(self, promise: Promise) -> "SignedPromise":
        """The promise with its signature."""
        signature = self.private.sign(promise.text(self.key_name))
        return SignedPromise(promise, self.key_name, _key_hash(self.key_name, self._public()), signature)

    def verifier_key(self) -> str:
        """The vkey others check promises with."""
        public = self._public()
        encoded = base64.b64encode(_ED25519 + public).decode()
        return f"{self.key_name}+{_key_hash(self.key_name, public).hex()}+{encoded}"

    def _public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class SignedPromise:
    """A promise, the name and hash (4 bytes) of the key, and the Ed25519 signature (64 bytes). Not yet verified."""

    promise: Promise
    key_name: str
    key_hash: bytes
    signature: bytes

    def note(self) -> bytes:
        """The C2SP signed note."""
        encoded = base64.b64encode(self.key_hash + self.signature)
        return b"%b\n\xe2\x80\x94 %b %b\n" % (self.promise.text(self.key_name), self.key_name.encode(), encoded)

    def value(self) -> dict[str, Json]:
        """As JSON: the promise's members, `key` (the key's name) and `signature` (base64, as in the note)."""
        return {
            "v": 1,
            **promise_value(self.promise),
            "key": self.key_name,
            "signature": base64.b64encode(self.key_hash + self.signature).decode(),
        }

    def verify(self, vkey: str) -> None:
        """Check the signature against a verifier key. VerificationError if it is not that key's."""
        name, key_hash, public = _parse_vkey(vkey)
        try:
            if (name, key_hash) == (self.key_name, self.key_hash):
                public.verify(self.signature, self.promise.text(name))
                return
        except InvalidSignature:
            pass
        raise VerificationError("promise-signature", "a promise is not signed by the node's promise key")


def promise_value(promise: Promise) -> dict[str, Json]:
    """A promise as JSON members."""
    return {
        "environment": promise.environment,
        "stream": promise.stream.value,
        "node": promise.node,
        "first": str(promise.first),
        "count": promise.count,
        "root": base64.b64encode(promise.root).decode(),
        "time": rfc3339(promise.time),
    }


def promise_of(value: Json) -> Promise:
    """The promise of JSON members; others beside them are ignored. MalformedError if one is missing or not right."""
    try:
        if isinstance(value, Mapping):
            root, count = canonical_base64(value["root"]), value["count"]
            if len(root) == _HASH and isinstance(count, int) and not isinstance(count, bool) and count > 0:
                return Promise(
                    environment_name(_text(value["environment"])),
                    Stream(_text(value["stream"])),
                    node_name(_text(value["node"])),
                    ascii_number(value["first"]),
                    count,
                    root,
                    parse_rfc3339(_text(value["time"])),
                )
    except (KeyError, ValueError):
        pass
    raise MalformedError("promise", "a promise does not read")


def signed_promise_of(value: Json) -> SignedPromise:
    """The signed promise of a node's answer, not yet verified. MalformedError if it does not read."""
    promise = promise_of(value)
    assert isinstance(value, Mapping)
    try:
        name, signature = _checked_name(_text(value["key"])), canonical_base64(value["signature"])
        if len(signature) == 68 and value["v"] == 1:
            return SignedPromise(promise, name, signature[:4], signature[4:])
    except KeyError:
        pass
    raise MalformedError("promise", "a promise does not read")


def ascii_number(value: object) -> int:
    """The number of a decimal string without sign, leading zero or any digit but 0 to 9."""
    if isinstance(value, str) and _NUMBER.match(value):
        return int(value)
    raise MalformedError("number", "a number is written in decimal digits, at most 20")


def canonical_base64(value: object) -> bytes:
    """The bytes of standard, padded base64 in its one canonical spelling."""
    try:
        if isinstance(value, str):
            data = base64.b64decode(value, validate=True)
            if base64.b64encode(data).decode() == value:
                return data
    except (binascii.Error, ValueError):
        pass
    raise MalformedError("base64", "not canonical base64")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise MalformedError("promise", "a promise does not read")


def _checked_name(name: str) -> str:
    if _KEY_NAME.match(name):
        return name
    raise MalformedError("key-name", "a key's name is ASCII without space or +, at most 255 bytes")


def _key_hash(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _parse_vkey(vkey: str) -> tuple[str, bytes, Ed25519PublicKey]:
    # The base64 may hold `+` itself, the name may not.
    name, _, rest = vkey.partition("+")
    hexadecimal, _, encoded = rest.partition("+")
    data = canonical_base64(encoded)
    if len(data) == 33 and data[:1] == _ED25519 and _key_hash(_checked_name(name), data[1:]).hex() == hexadecimal:
        return name, _key_hash(name, data[1:]), Ed25519PublicKey.from_public_bytes(data[1:])
    raise MalformedError("promise-key", "a verifier key is written name+hash+base64")
