"""Events and the keeper's log stay equal, wherever the power goes."""

from collections.abc import Sequence

import pytest

from holdfast.access.ports import EventHead, EventRecord
from holdfast.access.recording import Recording
from holdfast.drivers.memory import Faults, FixedClock, MemoryLog, PowerCut, SeededRandomness
from holdfast.formats import canonical
from holdfast.formats.entries import EventEntry, event_commitment, parse_entry
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName

ACME = EnvironmentName("acme/main")


class MemoryEvents:
    """Rows in lists; satisfies access.ports.EventRecords."""

    def __init__(self) -> None:
        self.rows: list[tuple[bytes, EventRecord | None]] = []
        self.marked = 0
        self.power_is_cut_before_marking = False

    def head(self, environment: EnvironmentName | None) -> EventHead:
        chain = [event for _, event in self.rows if event and event.environment == environment]
        return EventHead(chain[-1].number, chain[-1].commitment) if chain else EventHead(-1, "")

    def enter(self, entry: bytes, event: EventRecord | None) -> None:
        self.rows.append((entry, event))

    def waiting(self) -> Sequence[tuple[int, bytes]]:
        return [(row, entry) for row, (entry, _) in enumerate(self.rows)][self.marked :]

    def logged(self) -> int:
        return self.marked

    def mark_logged(self, rows: Sequence[int], first_index: int) -> None:
        if self.power_is_cut_before_marking:
            raise PowerCut
        assert list(rows) == list(range(first_index, first_index + len(rows)))
        self.marked += len(rows)


def recording(events: MemoryEvents, log: MemoryLog) -> Recording:
    return Recording(events, log, FixedClock(Instant(0)), SeededRandomness())


def test_an_event_is_committed_to_and_chained_within_its_environment() -> None:
    events, log = MemoryEvents(), MemoryLog()
    keeper = recording(events, log)
    keeper.record("read", ACME, {"person": "p_1"})
    keeper.record("register", None, {})
    keeper.record("read", ACME, {"person": "p_2"})
    keeper.flush()
    kept = [event for _, event in events.rows if event]
    for entry, event in zip(map(parse_entry, log.entries), kept, strict=True):
        assert isinstance(entry, EventEntry)
        assert entry.commitment == event_commitment(event.salt, canonical.load(event.json))
    assert [(event.environment, event.number, event.previous) for event in kept] == [
        (ACME, 0, ""),
        (None, 0, ""),
        (ACME, 1, kept[0].commitment),
    ]


@pytest.mark.parametrize("landed", [False, True])
def test_entries_are_in_the_log_once_when_appending_was_cut_short(landed: bool) -> None:
    events, log = MemoryEvents(), MemoryLog()
    recording(events, log).record("one", None, {})
    if landed:
        events.power_is_cut_before_marking = True
    else:
        log.faults = Faults(0, landed=False)
    with pytest.raises(PowerCut):
        recording(events, log).flush()
    events.power_is_cut_before_marking, log.faults = False, Faults()
    again = recording(events, log)
    again.record("two", None, {})
    again.flush()
    assert log.entries == [entry for entry, _ in events.rows]
    assert events.marked == 2


def test_a_log_or_database_put_back_to_an_older_state_is_refused() -> None:
    events, log = MemoryEvents(), MemoryLog()
    keeper = recording(events, log)
    keeper.record("one", None, {})
    keeper.flush()
    behind = MemoryLog()
    with pytest.raises(VerificationError, match="keeper-log"):
        recording(events, behind).flush()
    with pytest.raises(VerificationError, match="keeper-log"):
        recording(MemoryEvents(), log).flush()
