import asyncio
import dataclasses
import itertools
from collections.abc import Awaitable, Callable

import pytest

from holdfast.formats.connections import ConnectionRecord, Outcome, parse_connection
from holdfast.gateway import recording
from holdfast.gateway.recording import Recording
from holdfast.kernel.errors import BusyError, RefusedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import UNCLAIMED, EnvironmentName

ACME = EnvironmentName("acme/main")
RECORD = ConnectionRecord(Instant(1), 0, "192.0.2.1", None, None, Outcome.SERVED)
REFUSED = dataclasses.replace(RECORD, outcome=Outcome.REFUSED)


class FakePoster:
    def __init__(self, *environments: str) -> None:
        self.environments = {*environments, UNCLAIMED}
        self.taken: list[tuple[str, ConnectionRecord]] = []
        self.away = False

    def post(self, environment: EnvironmentName, lines: bytes) -> None:
        if self.away:
            raise BusyError("away", "not there")
        if environment not in self.environments:
            raise RefusedError("not-mine", "not of this hosting")
        self.taken += [(environment, parse_connection(line)) for line in lines.split(b"\n")[:-1]]


def run(work: Callable[[Recording], Awaitable[None]], *posters: FakePoster, clock: list[float] | None = None) -> None:
    now = clock or [0.0]

    async def inner() -> None:
        records = Recording({str(i): poster for i, poster in enumerate(posters)}, lambda: now[0])
        await work(records)
        await records.close(3)

    asyncio.run(inner())


def test_a_record_goes_to_the_node_of_its_environment_or_to_unclaimed() -> None:
    first, second = FakePoster("globex/main"), FakePoster("acme/main")

    async def work(records: Recording) -> None:
        records.record(ACME, RECORD)
        records.record(EnvironmentName("no/body"), REFUSED)
        records.record(None, REFUSED)

    run(work, first, second)
    assert second.taken == [(ACME, RECORD)]
    assert first.taken == [(UNCLAIMED, REFUSED)] * 2


def test_the_first_record_that_cannot_be_written_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    poster = FakePoster("acme/main")
    poster.away = True

    async def work(records: Recording) -> None:
        records._monotonic = itertools.count(0.0, 0.001).__next__
        records.record(ACME, RECORD)
        await asyncio.sleep(0.2)
        assert caplog.text.count("not written yet") == 1
        poster.away = False

    run(work, poster)


def test_a_node_that_is_away_holds_up_nobody_else_and_no_record_strays() -> None:
    first, second = FakePoster("globex/main"), FakePoster("acme/main")
    first.away = True
    clock = [0.0]

    async def work(records: Recording) -> None:
        records._learned[ACME] = "1"
        records.record(EnvironmentName("globex/main"), RECORD)
        records.record(ACME, RECORD)
        await asyncio.sleep(0.3)
        assert second.taken == [(ACME, RECORD)]
        assert records.accepting(EnvironmentName("globex/main"))
        clock[0] = 31.0
        assert not records.accepting(EnvironmentName("globex/main"))
        assert records.accepting(ACME)
        first.away = False
        await asyncio.sleep(0.6)
        assert records.accepting(EnvironmentName("globex/main"))

    run(work, first, second, clock=clock)
    assert first.taken == [(EnvironmentName("globex/main"), RECORD)]


def test_a_flood_of_refusals_is_counted_in_one_record() -> None:
    poster = FakePoster("acme/main")

    async def work(records: Recording) -> None:
        for _ in range(recording.REFUSALS + 500):
            records.record(ACME, REFUSED)
        records.record(ACME, RECORD)

    run(work, poster)
    assert sum(1 + record.others for _, record in poster.taken) == recording.REFUSALS + 501
    assert len(poster.taken) == recording.REFUSALS + 2


def test_a_full_queue_lets_nobody_in() -> None:
    poster = FakePoster("acme/main")
    poster.away = True

    async def work(records: Recording) -> None:
        for _ in range(recording.ROOM):
            assert records.accepting()
            records.record(ACME, RECORD)
        assert not records.accepting()
        poster.away = False
        await asyncio.sleep(0.5)

    run(work, poster)
    assert len(poster.taken) == recording.ROOM
