"""Journal files, closed and growing, whole, torn and damaged."""

import io

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.support.journals import CONTEXT, WrittenJournal

from holdfast.drivers.memory import MemoryJournalStore, MemoryKeySource
from holdfast.formats.frames import STATE, FrameHead
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.names import EnvironmentName, KeyId, Stream
from holdfast.vault.journalreading import JournalFile

APP = (EnvironmentName("acme/main"), Stream.APP)


@pytest.fixture
def written() -> WrittenJournal:
    journal = WrittenJournal(MemoryJournalStore(), MemoryKeySource())
    journal.begin(0)
    for i in range(3):
        journal.flush(0, {APP: [b"line %d" % i, b""]})
    return journal


def heads(data: bytes, **how: bool) -> list[FrameHead]:
    return list(JournalFile(io.BytesIO(data), 0).heads(**how))


def test_heads_say_leaves_and_places_without_a_key(written: WrittenJournal) -> None:
    found = heads(written.store.files[0], check=True)
    assert [bool(head.directory["flags"][0] & STATE) for head in found] == [True, False, False, False]
    assert [head.leaves() for head in found] == [[], *written.leaves]
    assert [head.flush for head in found] == [0, 0, 1, 2]
    again = JournalFile(io.BytesIO(written.store.files[0]), 0).heads(found[2].offset)
    assert [head.flush for head in again] == [1, 2]


def test_a_body_opens_under_its_own_key_only(written: WrittenJournal) -> None:
    data = written.store.files[0]
    head = heads(data)[1]
    key = written.keys.keys[KeyId(bytes(head.directory["key"][0]).hex())]
    file = JournalFile(io.BytesIO(data), 0)
    body = file.body(CONTEXT, head, 0, AESGCM(key.key.reveal()))
    assert body.records.split(b"\x1f")[7].startswith(b"line 0")
    for context, cipher in ((b"other/n1", AESGCM(key.key.reveal())), (CONTEXT, AESGCM(bytes(32)))):
        with pytest.raises(VerificationError, match="journal-damaged"):
            file.body(context, head, 0, cipher)


def test_a_growing_file_ends_before_a_frame_that_is_not_whole(written: WrittenJournal) -> None:
    data = written.store.files[0]
    last = heads(data)[-1]
    for end in (*range(last.offset, len(data), 13), len(data) - 1):
        torn = data[:end]
        assert [head.offset for head in heads(torn, torn_tail=True)] == [h.offset for h in heads(data)[:-1]]
        if end > last.offset:
            with pytest.raises(VerificationError, match="journal-damaged") as caught:
                heads(torn)
            assert caught.value.fields == {"object": "00000000.journal", "offset": last.offset}


def test_a_tail_of_zeros_or_half_written_blocks_is_torn(written: WrittenJournal) -> None:
    data = written.store.files[0]
    last = heads(data)[-1]
    assert len(heads(data + bytes(5000), check=True, torn_tail=True)) == 4
    half = data[: last.offset + 200] + bytes(len(data) - last.offset - 200)
    assert len(heads(half, check=True, torn_tail=True)) == 3


def test_a_flipped_byte_before_an_intact_frame_is_damage_even_in_a_growing_file(written: WrittenJournal) -> None:
    data = written.store.files[0]
    last = heads(data)[-1]
    for at in range(0, last.offset, 7):
        broken = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        with pytest.raises(VerificationError, match="journal-damaged"):
            heads(broken, check=True, torn_tail=True)


def test_an_empty_file_has_no_frames() -> None:
    assert heads(b"") == []
