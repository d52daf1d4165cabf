"""The growing log: what it writes in which order, what a crash leaves, what damage is found and named."""

import re

import pytest
from tests.support.logs import SIGNER, VERIFIER, entries, grown

from holdfast.drivers.memory import Faults, MemoryStore, PowerCut
from holdfast.formats.checkpoints import Checkpoint, sign_checkpoint
from holdfast.formats.notes import signer
from holdfast.kernel.errors import BusyError, MalformedError, OutcomeUnknownError, VerificationError
from holdfast.rules import merkle
from holdfast.vault.consulting import LogReader
from holdfast.vault.integrating import TileLog
from holdfast.vault.recomputing import verify_log

SIZES = [1, 2, 5, 255, 256, 257, 511, 512, 513, 700, 65_535, 65_536, 65_537, 66_000]


def _root(size: int) -> bytes:
    return merkle.root(merkle.leaf_hashes(entries(0, size)))


def test_a_new_log_begins_with_a_signed_checkpoint_of_nothing() -> None:
    store, log = grown([])
    assert list(store.objects) == ["checkpoint"]
    assert (log.size, log.root) == (0, merkle.EMPTY)
    assert LogReader(store, VERIFIER).size == 0


def test_a_log_grown_in_portions_has_the_root_of_all_its_entries_and_proves_each() -> None:
    store, log = grown(SIZES)
    assert log.root == _root(66_000)
    reader = LogReader(store, VERIFIER)
    assert reader.root() == log.root == reader.checkpoint.root
    for index in (0, 1, 255, 256, 65_535, 65_536, 65_792, 65_999):
        assert reader.entry(index) == log.entry(index) == b"entry %d" % index
        merkle.verify_inclusion(merkle.leaf_hash(b"entry %d" % index), index, 66_000, log.inclusion(index), log.root)
    for old in (1, 255, 256, 300, 65_536, 65_999, 66_000):
        merkle.verify_consistency(old, 66_000, reader.consistency(old), _root(old), log.root)
    assert verify_log(store, VERIFIER).sound


def test_objects_are_written_entries_first_then_tiles_upwards_then_the_checkpoint() -> None:
    store, log = grown([255])
    store.writes.clear()
    log.append(entries(255, 258))
    assert store.writes[:6] == [
        "tile/entries/000",
        "tile/entries/001.p/2",
        "tile/0/000",
        "tile/0/001.p/2",
        "tile/1/000.p/1",
        "checkpoint",
    ]


def test_an_append_of_a_few_entries_is_a_handful_of_writes() -> None:
    store, log = grown([700])
    store.writes.clear()
    log.append(entries(700, 703))
    assert store.writes == ["tile/entries/002.p/191", "tile/0/002.p/191", "checkpoint"]


def test_partial_tiles_go_once_the_full_one_is_there_and_not_before() -> None:
    store, _log = grown(range(1, 256))
    assert len([name for name in store.objects if ".p/" in name]) == 2 * 255
    store, log = grown(range(1, 257))
    for size in range(257, 300):
        log.append(entries(log.size, size))
    assert not [name for name in store.objects if re.match(r"tile/(0|entries)/000\.p", name)]
    log.append(entries(log.size, 3000))
    assert [
        name for name in store.objects if ".p/" in name and not re.match(r"tile/(0|1|entries)/0(11|00)\.p", name)
    ] == []
    assert verify_log(store, VERIFIER).sound


def test_partial_tiles_left_by_a_crash_are_found_at_the_next_start() -> None:
    store, _log = grown(range(1, 257))
    log = TileLog(store, SIGNER)
    for size in range(257, 300):
        log.append(entries(log.size, size))
    assert not [name for name in store.objects if re.match(r"tile/(0|entries)/000\.p", name)]


def test_a_plug_pulled_before_any_write_loses_and_doubles_nothing() -> None:
    for at in range(12):
        store, log = grown([250])
        store.faults = Faults(at)
        try:
            log.append(entries(250, 514))
        except PowerCut:
            crashed = True
        else:
            crashed = False
        store.faults = Faults()
        again = TileLog(store, SIGNER)
        assert again.size in (250, 514)
        assert verify_log(store, VERIFIER).sound
        # Replayed in portions other than before.
        again.append(entries(again.size, 514))
        again.append(entries(514, 520))
        assert again.root == _root(520)
        assert verify_log(store, VERIFIER).sound
        assert crashed or at > 7


def test_a_full_disk_changes_nothing_and_the_append_can_be_tried_again() -> None:
    for at in range(4):
        store, log = grown([250])
        store.faults = Faults(at, error=BusyError("no-space", "the disk is full"))
        with pytest.raises(BusyError):
            log.append(entries(250, 300))
        assert log.size == 250
        log.append(entries(250, 300))
        assert log.root == _root(300)


def test_after_a_checkpoint_in_doubt_the_log_must_be_opened_again() -> None:
    store, log = grown([10])
    store.faults = Faults(2, error=OSError("pulled"))
    with pytest.raises(OSError, match="pulled"):
        log.append(entries(10, 11))
    with pytest.raises(OutcomeUnknownError):
        log.append(entries(10, 11))
    TileLog(store, SIGNER).append(entries(10, 11))


def test_no_second_head_of_one_size_is_signed_over_what_a_crash_left() -> None:
    store, log = grown([10])
    store.faults = Faults(1)
    with pytest.raises(PowerCut):
        log.append([b"one"])
    with pytest.raises(VerificationError, match="log-leftover"):
        TileLog(store, SIGNER).append([b"another"])
    TileLog(store, SIGNER).append([b"one"])


def test_two_writers_are_noticed() -> None:
    store, log = grown([10])
    TileLog(store, SIGNER).append(entries(10, 12))
    with pytest.raises(VerificationError, match="log-moved"):
        log.append(entries(10, 11))


def test_an_entry_too_long_is_refused_before_anything_is_written() -> None:
    store, log = grown([10])
    before = dict(store.objects)
    with pytest.raises(MalformedError):
        log.append([b"", b"x" * 65_536])
    assert store.objects == before


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/002.p/188"])
def test_a_log_whose_right_edge_is_damaged_does_not_open(name: str) -> None:
    for damage in ("flip", "cut", "remove"):
        store, _log = grown([700])
        _damage(store, name, damage)
        with pytest.raises(VerificationError) as caught:
            TileLog(store, SIGNER)
        assert "object" in caught.value.fields


def test_another_keys_checkpoint_is_not_believed() -> None:
    store, _log = grown([10])
    other = signer("logs.example/n1", bytes(32))
    with pytest.raises(VerificationError):
        LogReader(store, other.verifier())
    assert [damage.object for damage in verify_log(store, other.verifier()).damages] == ["checkpoint"]


def _damage(store: MemoryStore, name: str, how: str) -> None:
    data = store.objects[name]
    if how == "flip":
        store.objects[name] = data[:40] + bytes([data[40] ^ 1]) + data[41:]
    elif how == "cut":
        store.objects[name] = data[:-1]
    else:
        del store.objects[name]


GROWN = grown([3, 700, 65_536, 66_100])[0].objects


@pytest.mark.parametrize("how", ["flip", "remove"])
@pytest.mark.parametrize(
    "name",
    [
        "checkpoint",
        "tile/entries/000",
        "tile/entries/200",
        "tile/entries/258.p/52",
        "tile/0/000",
        "tile/0/255",
        "tile/0/258.p/52",
        "tile/1/000",
        "tile/1/001.p/2",
        "tile/2/000.p/1",
    ],
)
def test_damage_to_one_object_is_found_and_just_that_object_named(name: str, how: str) -> None:
    store = MemoryStore(dict(GROWN))
    data = store.objects[name]
    if how == "flip":
        at = len(data) // 2
        store.objects[name] = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    else:
        _damage(store, name, how)
    seen: list[bytes | None] = []
    report = verify_log(store, VERIFIER, lambda first, found: seen.extend(found))
    assert [damage.object for damage in report.damages] == [name]
    if name == "checkpoint":
        assert report.checkpoint is None
    elif name.startswith("tile/entries"):
        assert seen.count(None) == 66_100 - report.entries
        assert 0 < seen.count(None) <= 256
    else:
        assert report.entries == len(seen) == 66_100
        assert None not in seen


def test_entries_are_handed_on_in_order() -> None:
    seen: list[tuple[int, int]] = []
    verify_log(MemoryStore(dict(GROWN)), VERIFIER, lambda first, found: seen.append((first, len(found))))
    assert seen == [(first, min(256, 66_100 - first)) for first in range(0, 66_100, 256)]


def test_one_changed_entry_is_named_by_its_index() -> None:
    store = MemoryStore(dict(GROWN))
    store.objects["tile/entries/003"] = store.objects["tile/entries/003"].replace(b"entry 770", b"entry 777")
    (damage,) = verify_log(store, VERIFIER).damages
    assert (damage.object, damage.first, damage.last) == ("tile/entries/003", 770, 770)


def test_objects_that_are_no_part_of_a_log_and_false_earlier_versions_are_named() -> None:
    store, _log = grown([3, 10])
    store.objects["tile/0/000.p/3"] = bytes(96)
    store.objects["notes.txt"] = b""
    found = {damage.object: damage.code for damage in verify_log(store, VERIFIER).damages}
    assert found == {"tile/0/000.p/3": "tile-partial", "notes.txt": "object-unknown"}


def test_a_history_rewritten_whole_is_found_by_its_checkpoint() -> None:
    store, log = grown([700])
    other = MemoryStore()
    TileLog(other, SIGNER).append([b"forged %d" % number for number in range(700)])
    store.objects = {**other.objects, "checkpoint": log.checkpoint}
    report = verify_log(store, VERIFIER)
    assert report.damages[0].object == "checkpoint"
    assert report.entries == 0


def test_a_checkpoint_put_back_is_not_grown_into_another_history() -> None:
    store, log = grown([300])
    old = log.checkpoint
    log.append(entries(300, 310))
    store.objects["checkpoint"] = old
    for portion in ([b"other"], [*entries(300, 309), b"other"], [b"other"] * 11):
        with pytest.raises(VerificationError, match="log-leftover"):
            TileLog(store, SIGNER).append(portion)
    again = TileLog(store, SIGNER)
    again.append(entries(300, 305))
    again.append(entries(305, 400))
    assert again.root == _root(400)


def test_a_checkpoint_that_tiles_do_not_lead_to_opens_no_log() -> None:
    store, _log = grown([512])
    store.objects["checkpoint"] = sign_checkpoint(Checkpoint(SIGNER.name, 512, bytes(32)), SIGNER)
    with pytest.raises(VerificationError, match="log-root"):
        TileLog(store, SIGNER)
    with pytest.raises(VerificationError):
        LogReader(store, VERIFIER).entry(0)
