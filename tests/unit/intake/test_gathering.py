"""What a flush is made of: cut to size in order of arrival, cut at midnight, HTTP chunks turned away."""

import asyncio

import pytest

from holdfast.formats.lines import split
from holdfast.intake.gathering import Gathering, Waiting
from holdfast.intake.http import HttpChunk
from holdfast.intake.preparing import FileBlock, SyslogBlock
from holdfast.kernel.errors import BusyError
from holdfast.kernel.instants import Instant, parse_rfc3339
from holdfast.kernel.names import EnvironmentName, Stream

ACME = EnvironmentName("acme/main")
MIDNIGHT = parse_rfc3339("2026-11-24T00:00:00Z")


def at(seconds: float) -> Instant:
    return Instant(MIDNIGHT + int(seconds * 1e9))


def gathering(*arrivals: tuple[str, float]) -> Gathering:
    """Blocks of one line each, `syslog` or `http`, that arrived so many seconds after midnight."""
    made = Gathering()
    for kind, seconds in arrivals:
        lines = split(b"%d\n" % seconds)
        block: SyslogBlock | FileBlock
        if kind == "syslog":
            block = SyslogBlock(lines, at(seconds))
            made.syslog.append(block)
        else:
            chunk = HttpChunk(ACME, Stream.APP, "sender", "file", "id", 0, lines, bytes(32), 2)
            block = FileBlock(lines, at(seconds), ACME, Stream.APP, "file")
            made.http.append(Waiting(chunk, block, asyncio.Future(loop=asyncio.new_event_loop())))
        made.add(block)
    return made


def arrivals(part: Gathering) -> list[float]:
    return sorted((block.arrival - MIDNIGHT) / 1e9 for block in part.blocks())


def close(*parts: Gathering) -> None:
    for part in parts:
        for waiting in part.http:
            waiting.answer.get_loop().close()


def test_what_stays_for_the_next_flush_arrived_no_earlier() -> None:
    rest = gathering(("syslog", 1), ("http", 2), ("syslog", 3), ("http", 4), ("http", 5))
    first = rest.cut(3, 1 << 20)
    assert (arrivals(first), arrivals(rest)) == ([1, 2, 3], [4, 5])
    assert (first.lines, rest.lines) == (3, 2)
    second = rest.cut(100, 1 << 20)
    assert (rest.lines, rest.bytes, arrivals(second)) == (0, 0, [4, 5])
    close(first, second)


def test_a_flush_is_cut_at_midnight_and_nothing_is_counted_twice() -> None:
    made = gathering(("syslog", -2), ("http", -1), ("syslog", 1), ("http", 2))
    before, after = made.by_day()
    assert (arrivals(before), arrivals(after)) == ([-2, -1], [1, 2])
    assert before.bytes + after.bytes == made.bytes
    close(made)


def test_chunks_turned_away_are_answered_and_leave_only_what_has_no_answer() -> None:
    made = gathering(("syslog", 1), ("http", 2))
    [waiting] = made.http
    weight = waiting.block.weight
    before = made.bytes
    assert made.turn_away(BusyError("not-now", "later")) == weight
    with pytest.raises(BusyError):
        waiting.answer.result()
    assert (made.lines, made.bytes, made.stale, arrivals(made)) == (1, before - weight, True, [1])
    assert made.turn_away(BusyError("not-now", "later")) == 0
    waiting.answer.get_loop().close()


def test_what_waited_over_midnight_for_a_keeper_arrives_on_the_day_that_has_keys() -> None:
    part = gathering(("syslog", -700), ("http", -699), ("syslog", -698))
    counted = (part.lines, part.bytes)
    part.arrive(at(5))
    assert arrivals(part) == [5, 5, 5]
    assert part.day() == "2026-11-24"
    assert (part.lines, part.bytes) == counted
    assert [position.time for _, position in next(iter(part.positions().values()))] == [at(5)]
    close(part)
