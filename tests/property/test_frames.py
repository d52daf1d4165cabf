"""Frames: whatever was put in comes out, and no cut or flip goes unseen."""

import io

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats import frames
from holdfast.formats.frames import BatchBody, Sealable
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import KeyId
from holdfast.vault.journalreading import JournalFile

CIPHER = AESGCM(bytes(32))
BATCH = st.tuples(
    st.binary(max_size=40), st.binary(min_size=16, max_size=16), st.binary(max_size=5), st.lists(st.binary(max_size=9))
)


def frame_of(flush: int, batches: list[tuple[bytes, bytes, bytes, list[bytes]]]) -> bytes:
    entries = []
    for i, (header, salt, positions, lines) in enumerate(batches):
        lengths = np.array([len(line) for line in lines], np.int64)
        body = BatchBody(header, salt, bytes(32), positions, lengths, b"".join(lines))
        nonce = bytes([i]) * 12
        entries.append(
            Sealable(KeyId("0f" * 16), CIPHER, salt * 2, nonce, 0, i, len(lines), 1, 2, Instant(3), body.encode())
        )
    return b"".join(frames.encode_frame(b"x/n1", flush, Instant(-flush), entries))


@given(st.lists(st.lists(BATCH, max_size=3), max_size=4))
def test_a_file_of_frames_comes_back(flushes: list[list[tuple[bytes, bytes, bytes, list[bytes]]]]) -> None:
    data = b"".join(frame_of(i, batches) for i, batches in enumerate(flushes))
    file = JournalFile(io.BytesIO(data), 0)
    found = []
    for i, head in enumerate(file.heads(check=True)):
        assert (head.flush, head.time, len(head.leaves())) == (i, -i, len(head.directory))
        bodies = [file.body(b"x/n1", head, j, CIPHER) for j in range(len(head.directory))]
        found.append(
            [(body.header, body.salt, body.positions, [bytes(part) for part in _lines(body)]) for body in bodies]
        )
    assert found == flushes


def _lines(body: BatchBody) -> list[bytes]:
    ends = np.cumsum(body.lengths).tolist()
    return [bytes(body.records[end - length : end]) for end, length in zip(ends, body.lengths.tolist(), strict=True)]


@given(st.lists(BATCH, min_size=1, max_size=2), st.data())
def test_a_cut_is_a_torn_tail_and_a_flip_before_an_intact_frame_is_damage(
    batches: list[tuple[bytes, bytes, bytes, list[bytes]]], data: st.DataObject
) -> None:
    first, second = frame_of(0, batches), frame_of(1, batches)
    cut = data.draw(st.integers(len(first), len(first) + len(second) - 1))
    torn = JournalFile(io.BytesIO((first + second)[:cut]), 0)
    assert [head.flush for head in torn.heads(check=True, torn_tail=True)] == [0]
    at = data.draw(st.integers(0, len(first) - 1))
    flipped = first[:at] + bytes([first[at] ^ data.draw(st.integers(1, 255))]) + first[at + 1 :]
    damaged = JournalFile(io.BytesIO(flipped + second), 0)
    with pytest.raises(VerificationError) as caught:
        list(damaged.heads(check=True, torn_tail=True))
    assert caught.value.fields["offset"] == 0
