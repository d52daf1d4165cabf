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

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.formats.canonical import Json
from holdfast.formats.notes import Note, NoteVerifier, Signature, key_name, parse_vkey
from holdfast.formats.spelling import decimal, decode64, encode64
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Instant, parse_rfc3339, rfc3339
from holdfast.kernel.names import EnvironmentName, NodeName, Stream, environment_name, node_name

_HASH = 32
_KEY_HASH = 4
_SIGNATURE = 64


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
            f"root {encode64(self.root)}\ntime {rfc3339(self.time)}\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class PromiseSigner:
    """A node's promise key, with its name."""

    key_name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: NoteVerifier = field(init=False, repr=False)

    def __post_init__(self) -> None:
        public = self.private.public_key().public_bytes_raw()
        object.__setattr__(self, "verifier", NoteVerifier(self.key_name, public))

    def sign(self, promise: Promise) -> "SignedPromise":
        """The promise with its signature."""
        signature = self.private.sign(promise.text(self.key_name))
        return SignedPromise(promise, Signature(self.key_name, self.verifier.key_id, signature))


@dataclass(frozen=True, slots=True)
class SignedPromise:
    """A promise and its signature, not yet verified."""

    promise: Promise
    signature: Signature

    def note(self) -> bytes:
        """The C2SP signed note."""
        return Note(self.promise.text(self.signature.name).decode(), (self.signature,)).encode()

    def value(self) -> dict[str, Json]:
        """As JSON: the promise's members, `key` (the key's name) and `signature` (base64, as in the note)."""
        return {
            "v": 1,
            **promise_value(self.promise),
            "key": self.signature.name,
            "signature": encode64(self.signature.key_id + self.signature.signature),
        }

    def verify(self, vkey: str) -> None:
        """Check the signature against a verifier key. VerificationError if it is not that key's."""
        verifier = parse_vkey(vkey)
        if (verifier.name, verifier.key_id) != (self.signature.name, self.signature.key_id) or not verifier.verifies(
            self.promise.text(verifier.name), self.signature.signature
        ):
            raise VerificationError("promise-signature", "a promise is not signed by the node's promise key")


def promise_value(promise: Promise) -> dict[str, Json]:
    """A promise as JSON members."""
    return {
        "environment": promise.environment,
        "stream": promise.stream.value,
        "node": promise.node,
        "first": str(promise.first),
        "count": promise.count,
        "root": encode64(promise.root),
        "time": rfc3339(promise.time),
    }


def promise_of(value: Json) -> Promise:
    """The promise of JSON members; others beside them are ignored. MalformedError if one is missing or not right."""
    try:
        if isinstance(value, Mapping):
            root, count = decode64(_text(value["root"]), _HASH), value["count"]
            if isinstance(count, int) and not isinstance(count, bool) and count > 0:
                return Promise(
                    environment_name(_text(value["environment"])),
                    Stream(_text(value["stream"])),
                    node_name(_text(value["node"])),
                    decimal(_text(value["first"])),
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
        name = key_name(_text(value["key"]))
        signature = decode64(_text(value["signature"]), _KEY_HASH + _SIGNATURE)
        if value["v"] == 1:
            return SignedPromise(promise, Signature(name, signature[:_KEY_HASH], signature[_KEY_HASH:]))
    except KeyError:
        pass
    raise MalformedError("promise", "a promise does not read")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise MalformedError("promise", "a promise does not read")
