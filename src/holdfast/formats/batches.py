"""Batches: the header of the lines of one (environment, stream) that one node took in one flush (formats, Batch)."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import EnvironmentName, NodeName, Stream, environment_name, node_name

SALT = 16
SECRET = 32
HASH = 32


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """What is committed of a batch. `root` is MTH over its line entries; `previous` the leaf hash of the stream's last
    batch entry on this node, or empty for the first."""

    environment: EnvironmentName
    stream: Stream
    node: NodeName
    first: int
    count: int
    root: bytes
    previous: bytes

    def encode(self) -> bytes:
        """Canonical JSON, spelt out: names are ASCII words, so nothing needs escaping, and the members are in order."""
        root, previous = base64.b64encode(self.root).decode(), base64.b64encode(self.previous).decode()
        return (
            f'{{"count":{self.count},"environment":"{self.environment}","first":"{self.first}","node":"{self.node}",'
            f'"previous":"{previous}","root":"{root}","stream":"{self.stream.value}","v":1}}'
        ).encode()


def parse_header(data: bytes) -> BatchHeader:
    """The header of canonical bytes, strictly. MalformedError otherwise."""
    try:
        header = _header(json.loads(data))
        if header.encode() == data:  # so the bytes were canonical, and held nothing else
            return header
    except (KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        pass
    raise MalformedError("batch-header", "a batch header does not read")


def _header(value: Mapping[str, object]) -> BatchHeader:
    first, count = value["first"], value["count"]
    root, previous = base64.b64decode(str(value["root"])), base64.b64decode(str(value["previous"]))
    if not isinstance(first, str) or not first.isascii() or not first.isdigit():
        raise ValueError
    if not isinstance(count, int) or count < 1 or len(root) != HASH or len(previous) not in (0, HASH):
        raise ValueError
    return BatchHeader(
        environment_name(str(value["environment"])),
        Stream(str(value["stream"])),
        node_name(str(value["node"])),
        int(first),
        count,
        root,
        previous,
    )


def batch_leaf(salt: bytes, header: bytes) -> bytes:
    """The leaf hash of a batch's entry in its flush: H(0x00 ‖ salt ‖ header)."""
    return sha256(b"\x00" + salt + header).digest()


def line_salts(secret: bytes, count: int) -> bytes:
    """The salts of a batch's lines, 16 bytes each: the AES-256-CTR keystream under the batch secret, counter from 0."""
    stream = Cipher(algorithms.AES(secret), modes.CTR(bytes(16))).encryptor()
    return stream.update(bytes(SALT * count))
