"""A frame is what was written, or it is refused."""

import io
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import frames
from holdfast.formats.frames import BatchBody, Sealable
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import KeyId
from holdfast.vault.journalreading import JournalFile

CIPHER = AESGCM(bytes(32))
BODY = BatchBody(b"header", b"s" * 16, b"k" * 32, b"{}", np.array([3, 0, 2], np.int64), b"abcde")
ENTRY = Sealable(KeyId("0f" * 16), CIPHER, b"l" * 32, b"n" * 12, 0, 7, 3, 40, 41, Instant(5), BODY.encode())
CONTEXT = b"logs.example.net/n1"


def frame() -> bytes:
    other = replace(ENTRY, key=KeyId("00" * 16), flags=frames.STATE, nonce=b"m" * 12)
    return b"".join(frames.encode_frame(CONTEXT, 9, Instant(1234), [other, ENTRY]))


def ciphertext(data: bytes, head: frames.FrameHead, index: int) -> bytes:
    row = head.directory[index]
    return data[row["offset"] : row["offset"] + row["length"]]


def test_a_frame_comes_back() -> None:
    data = frame()
    head = frames.parse_directory(data, 0)
    assert (head.flush, head.time, head.length) == (9, 1234, len(data))
    assert head.leaves() == [b"l" * 32]
    assert bytes(head.directory["key"][1]).hex() == "0f" * 16
    body = frames.decrypt_entry(CONTEXT, head, 1, ciphertext(data, head, 1), CIPHER)
    assert (body.header, body.salt, body.secret, body.positions, body.records) == (
        BODY.header,
        BODY.salt,
        BODY.secret,
        BODY.positions,
        BODY.records,
    )
    assert body.lengths.tolist() == [3, 0, 2]


def test_every_byte_of_a_frame_counts() -> None:
    data = frame()
    assert len(list(JournalFile(io.BytesIO(data), 0).heads(check=True))) == 1
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(VerificationError, match="journal-damaged"):
            list(JournalFile(io.BytesIO(changed), 0).heads(check=True))


def test_what_a_batch_says_is_in_no_repr() -> None:
    assert "secret=" not in repr(BODY)
    assert "records=" not in repr(BODY)
    assert "plaintext=" not in repr(ENTRY)


def test_a_directory_entry_is_bound_to_its_ciphertext() -> None:
    data = frame()
    for at in range(frames.HEADER.size + 128, frames.HEADER.size + 256):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises((MalformedError, VerificationError)):  # noqa: PT012
            head = frames.parse_directory(changed, 0)
            frames.decrypt_entry(CONTEXT, head, 1, ciphertext(data, frames.parse_directory(data, 0), 1), CIPHER)


def test_no_other_flush_node_or_key_opens_an_entry() -> None:
    data = frame()
    head = frames.parse_directory(data, 0)
    for context, other, cipher in (
        (b"logs.example.net/n2", head, CIPHER),
        (CONTEXT, replace(head, flush=10), CIPHER),
        (CONTEXT, head, AESGCM(b"x" * 32)),
    ):
        with pytest.raises(VerificationError, match="frame-damaged"):
            frames.decrypt_entry(context, other, 1, ciphertext(data, head, 1), cipher)


@pytest.mark.parametrize("size", [0, 4, 31, 32, 100, 287])
def test_a_head_cut_short_is_malformed(size: int) -> None:
    with pytest.raises(MalformedError, match="frame-"):
        frames.parse_directory(frame()[:size], 0)


@pytest.mark.parametrize("cut", [1, 20, 70, 90])
def test_a_body_that_does_not_add_up_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedError, match="frame-body"):
        frames.parse_body(BODY.encode()[:-cut])
    with pytest.raises(MalformedError, match="frame-body"):
        frames.parse_body(BODY.encode() + b"x" * cut)
