import pytest

from holdfast.formats.batches import BatchHeader
from holdfast.formats.positions import Accept, Conflict, Duplicate, Position, Positions, Source
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream

SOURCE = Source(EnvironmentName("acme/main"), Stream.APP, "8a9e3a52-2d02-4d0f-8b3a-6a0f3f6d0c11", "0" * 32)
HEADER = BatchHeader(SOURCE.environment, SOURCE.stream, NodeName("n1"), 5, 3, b"\2" * 32, b"")
DIGEST, OTHER = b"\1" * 32, b"\3" * 32


def known() -> Positions:
    moved, positions = Positions(), Positions()
    moved.move(SOURCE, Position(100, 50, DIGEST, Instant(9)))
    positions.merge(Positions.decode(moved.encode()), HEADER)
    return positions


def test_an_unknown_source_is_accepted_wherever_it_goes_on() -> None:
    assert Positions().judge(SOURCE, 4000, 10, DIGEST) == Accept()


def test_the_next_chunk_is_accepted_and_judging_it_moves_nothing() -> None:
    positions = known()
    assert positions.judge(SOURCE, 150, 10, OTHER) == Accept()
    assert positions.judge(SOURCE, 150, 10, OTHER) == Accept()


def test_the_same_chunk_again_is_a_duplicate_with_the_promise_it_got() -> None:
    verdict = known().judge(SOURCE, 100, 50, DIGEST)
    assert isinstance(verdict, Duplicate)
    assert verdict.position.promise
    assert (verdict.position.promise.first, verdict.position.promise.count) == (5, 3)
    assert verdict.position.promise.time == 9


@pytest.mark.parametrize(
    ("offset", "length", "digest"), [(160, 9, DIGEST), (100, 50, OTHER), (100, 60, DIGEST), (0, 9, DIGEST)]
)
def test_a_gap_or_other_bytes_are_a_conflict_that_says_where_to_go_on(offset: int, length: int, digest: bytes) -> None:
    verdict = known().judge(SOURCE, offset, length, digest)
    assert isinstance(verdict, Conflict)
    assert verdict.position.end == 150


def test_another_sender_file_or_stream_is_another_source() -> None:
    for other in (SOURCE._replace(sender="x"), SOURCE._replace(file="1" * 32), SOURCE._replace(stream=Stream.SYSTEM)):
        assert known().judge(other, 0, 1, DIGEST) == Accept()


def test_positions_survive_the_journal_byte_for_byte() -> None:
    positions = known()
    assert list(Positions.decode(positions.encode())) == list(positions)
    assert Positions.decode(positions.encode()).encode() == positions.encode()
    assert not Positions.decode(b"")


def test_the_source_longest_without_a_chunk_is_forgotten_first_also_after_replay() -> None:
    positions = Positions(limit=2)
    sources = [SOURCE._replace(file=f"{number:032x}") for number in range(3)]
    for source in (sources[0], sources[1], sources[0]):
        positions.move(source, Position(0, 1, DIGEST, Instant(0)))
    replayed = Positions.decode(positions.encode(), limit=2)
    replayed.move(sources[2], Position(0, 1, DIGEST, Instant(0)))
    assert [source for source, _ in replayed] == [sources[0], sources[2]]


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"positions":[{}]}', b'{"positions":[1]}', b'{"positions": []}'])
def test_damaged_positions_do_not_read(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Positions.decode(data)
