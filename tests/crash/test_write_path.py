"""The plug is pulled on each side of every write between a line's arrival and its segment; then the node starts again.

What was answered for is there once, what was not is there once or not at all, and the vault is sound.
"""

import pytest
from tests.support.vaults import SOURCE, Disks, MemoryNode, at, check_vault, syslog_lines

from holdfast.drivers.memory import Faults, PowerCut
from holdfast.formats.positions import Duplicate, Position
from holdfast.kernel.errors import HoldfastError, VerificationError
from holdfast.vault import flushing

CHUNKS = [(0, 10), (10, 15), (25, 10)]


def position(first: int, count: int) -> Position:
    """Where the sender of CHUNKS stands after one of them. The digest is made up."""
    return Position(first, count, bytes([first]) * 32, at(0))


def work(disks: Disks, done: list[int]) -> None:
    """Start, send each chunk that is not there yet, log and seal as a node does."""
    node = MemoryNode(disks)
    for first, count in CHUNKS:
        verdict = node.journal.state.positions.judge(SOURCE, first, count, bytes([first]) * 32)
        last = node.journal.state.positions.get(SOURCE)
        if isinstance(verdict, Duplicate) or (last and last.end > first):
            continue
        flushed = node.flush(syslog_lines(first, count), position(first, count))
        done.append(first)
        node.integrate(flushed)
        if first == 10:
            node.seal()
    node.seal()


def effects() -> int:
    """How many writes there are."""
    disks = Disks()
    work(disks, [])
    return disks.faults.count


@pytest.mark.parametrize("landed", [False, True], ids=["before", "after"])
def test_nothing_is_lost_or_doubled_wherever_the_plug_is_pulled(landed: bool) -> None:
    for cut in range(effects()):
        disks = Disks()
        disks.break_at(Faults(cut, landed=landed))
        done: list[int] = []
        with pytest.raises(PowerCut):
            work(disks, done)
        disks.break_at(Faults())
        work(disks, done)
        report = check_vault(disks)
        assert report.lines == 35, (cut, landed, report)
        check_vault(disks)


def test_a_second_power_cut_during_recovery_changes_nothing() -> None:
    total = effects()
    for cut in range(0, total, 3):
        for again in range(4):
            disks = Disks()
            disks.break_at(Faults(cut, landed=True))
            with pytest.raises(PowerCut):
                work(disks, [])
            disks.break_at(Faults(again))
            try:
                work(disks, [])
            except PowerCut:
                disks.break_at(Faults())
                work(disks, [])
            assert check_vault(disks).lines == 35


@pytest.mark.parametrize("kept", [1, 31, 200, -33, -1])
def test_a_torn_tail_is_cut_off_and_what_was_answered_for_stays(kept: int) -> None:
    disks = Disks()
    node = MemoryNode(disks)
    node.flush(syslog_lines(0, 10))
    whole = len(disks.files[0])
    node.flush(syslog_lines(10, 10))
    disks.files[0] = disks.files[0][: whole + kept] if kept > 0 else disks.files[0][:kept]
    MemoryNode(disks)
    assert len(disks.files[0]) == whole
    assert check_vault(disks).lines == 10


def test_a_node_whose_journal_lost_what_its_log_holds_does_not_start() -> None:
    disks = Disks()
    node = MemoryNode(disks)
    node.flush(syslog_lines(0, 10))
    kept = disks.files[0]
    first = node.flush(syslog_lines(10, 10))
    fresh = MemoryNode(disks)
    assert fresh.log.size == 2
    assert first.flush == 1
    disks.files[0] = kept
    with pytest.raises(VerificationError) as caught:
        MemoryNode(disks)
    assert caught.value.code == "log-ahead"
    assert disks.files[0] == kept


def test_damage_before_the_last_frame_is_evidence_and_stops_the_start() -> None:
    disks = Disks()
    node = MemoryNode(disks)
    node.flush(syslog_lines(0, 10))
    middle = len(disks.files[0]) - 40
    node.flush(syslog_lines(10, 10))
    damaged = bytearray(disks.files[0])
    damaged[middle] ^= 1
    disks.files[0] = bytes(damaged)
    with pytest.raises(VerificationError):
        MemoryNode(disks)
    assert disks.files[0] == bytes(damaged)


def test_replay_of_the_journal_gives_the_same_log_bytes() -> None:
    disks = Disks()
    node = MemoryNode(disks)
    flushes = [node.flush(syslog_lines(first, 5)) for first in (0, 5, 10)]
    node.integrate(*flushes)
    logged = dict(disks.log)
    disks.log.clear()
    replayed = MemoryNode(disks)
    assert replayed.log.size == 3
    assert {name: data for name, data in disks.log.items() if name != "checkpoint"} == {
        name: data for name, data in logged.items() if name != "checkpoint"
    }


def test_lines_of_two_days_never_share_a_journal_key() -> None:
    disks = Disks()
    node = MemoryNode(disks)
    node.integrate(node.flush(syslog_lines(0, 3)))
    node.clock.advance(24 * 3600 * 10**9)
    node.integrate(node.flush(syslog_lines(3, 3)))
    assert list(disks.files) == [0, 1]
    assert check_vault(disks).lines == 6


def test_a_journal_file_of_very_many_streams_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "STREAMS", 2)
    disks = Disks()
    node = MemoryNode(disks)
    node.integrate(node.flush(syslog_lines(0, 3)), node.flush(syslog_lines(3, 3)))
    assert list(disks.files) == [0]
    node.integrate(node.flush(syslog_lines(0, 3, "web1.globex.example", "sshd")), node.flush(syslog_lines(6, 3)))
    assert list(disks.files) == [0, 1]
    assert check_vault(disks).lines == 12


def test_a_full_disk_takes_nothing_and_changes_nothing() -> None:
    from holdfast.kernel.errors import BusyError

    disks = Disks()
    node = MemoryNode(disks)
    node.flush(syslog_lines(0, 3))
    before = dict(disks.files)
    node.journal_store.faults = Faults(0, error=BusyError("no-space", "full"))
    with pytest.raises(HoldfastError):
        node.flush(syslog_lines(3, 3))
    assert disks.files == before
    node.flush(syslog_lines(3, 3))
    assert check_vault(disks).lines == 6
