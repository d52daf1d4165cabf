import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.drivers import tailing
from holdfast.drivers.logreading import CHUNK, PlainReading
from holdfast.drivers.sendstate import SendState
from holdfast.drivers.tailing import FollowedFile, WholeFile
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import EnvironmentName, Stream


def open_state(folder: Path) -> SendState:
    return SendState(folder, "http://n1", EnvironmentName("acme/main"), Stream.APP, lambda: "s" * 36)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SendState]:
    state = open_state(tmp_path / "state")
    yield state
    state.close()


def drain(reading: PlainReading, state: SendState) -> bytes:
    """Take all there is, as Sending does."""
    data = b""
    while piece := reading.piece():
        data += piece.data
        reading.move(piece.end, piece.data)
        state.save(reading.mark())
    return data


def drain_all(file: FollowedFile, state: SendState) -> bytes:
    data = b""
    while (reading := file.current()) and (more := drain(reading, state)):
        data += more
    return data


def quiet(code: str, message: str, name: str) -> None:
    raise AssertionError(code)


def test_only_whole_lines_are_read_until_the_file_is_closed(tmp_path: Path, state: SendState) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntw")
    reading = FollowedFile(path, state, quiet).current()
    assert reading
    assert drain(reading, state) == b"one\n"
    assert drain(WholeFile(path, state).reading, state) == b"tw"


def test_a_line_longer_than_a_chunk_comes_in_pieces(tmp_path: Path, state: SendState) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * (2 * CHUNK + 5) + b"\nend\n")
    reading = WholeFile(path, state).reading
    first = reading.piece()
    assert first
    assert (len(first.data), first.final) == (CHUNK, True)
    assert drain(reading, state) == path.read_bytes()


def test_a_file_read_before_goes_on_where_it_was(tmp_path: Path, state: SendState) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    drain(WholeFile(path, state).reading, state)
    state.close()
    again = open_state(tmp_path / "state")
    with path.open("ab") as file:
        file.write(b"two\n")
    reading = WholeFile(path, again).reading
    assert reading.restored
    assert drain(reading, again) == b"two\n"
    again.close()
    state.__init__(tmp_path / "state", "http://n1", EnvironmentName("acme/main"), Stream.APP, str)  # type: ignore[misc]


@pytest.mark.parametrize(
    "after", [b"new\n", b"new line, as long as before and longer\n", b"old first\nnew second, longer\n"]
)
def test_a_truncated_file_begins_again_under_another_identity_even_if_it_has_grown_past(
    tmp_path: Path, state: SendState, after: bytes
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"old first\nold second\n")
    file = FollowedFile(path, state, quiet)
    assert drain_all(file, state) == path.read_bytes()
    before = file.current()
    assert before
    identity = before.file_id
    path.write_bytes(after)  # the same inode
    assert drain_all(file, state) == after
    assert before.file_id != identity


def test_a_rotated_file_is_read_to_its_end_before_the_new_one(
    tmp_path: Path, state: SendState, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"1\n")
    file = FollowedFile(path, state, quiet)
    assert drain_all(file, state) == b"1\n"
    writer = path.open("ab")
    path.rename(tmp_path / "a.log.1")
    writer.write(b"2\nhalf")
    writer.close()
    path.write_bytes(b"3\n")
    assert drain_all(file, state) == b"2\n"
    monkeypatch.setattr(tailing, "_QUIET_SECONDS", 0.0)
    assert drain_all(file, state) == b"half" + b"3\n"


def test_a_file_rotated_while_nobody_looked_is_found_by_its_inode(
    tmp_path: Path, state: SendState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "_QUIET_SECONDS", 0.0)
    path = tmp_path / "a.log"
    path.write_bytes(b"1\n")
    assert drain_all(FollowedFile(path, state, quiet), state) == b"1\n"
    with path.open("ab") as writer:
        writer.write(b"2\n")
    path.rename(tmp_path / "a.log-20261124")
    path.write_bytes(b"3\n")
    assert drain_all(FollowedFile(path, state, quiet), state) == b"2\n" + b"3\n"


def test_a_file_that_was_empty_or_sent_once_before_is_found_after_a_rotation_nobody_saw(
    tmp_path: Path, state: SendState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "_QUIET_SECONDS", 0.0)
    empty, sent = tmp_path / "a.log", tmp_path / "b.log"
    empty.write_bytes(b"")
    sent.write_bytes(b"0\n")
    once = WholeFile(sent, state)
    drain(once.reading, state)
    once.finish()
    for path in (empty, sent):
        assert drain_all(FollowedFile(path, state, quiet), state) == b""
        with path.open("ab") as writer:
            writer.write(b"1\n")
        path.rename(tmp_path / f"{path.name}.1")
        path.write_bytes(b"2\n")
        assert drain_all(FollowedFile(path, state, quiet), state) == b"1\n2\n"


def test_a_rotated_file_that_is_gone_is_said_to_be_and_said_once(tmp_path: Path, state: SendState) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"1\n")
    drain_all(FollowedFile(path, state, quiet), state)
    path.rename(tmp_path / "moved")
    path.write_bytes(b"2\n")
    (tmp_path / "moved").unlink()
    said: list[str] = []
    FollowedFile(path, state, lambda code, message, name: said.append(code))
    FollowedFile(path, state, lambda code, message, name: said.append(code))
    assert said == ["rotated-away"]


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path, state: SendState) -> None:
    file = FollowedFile(tmp_path / "a.log", state, quiet)
    assert file.current() is None
    (tmp_path / "a.log").write_bytes(b"1\n")
    assert drain_all(file, state) == b"1\n"


def test_a_gzipped_file_is_read_as_its_text_and_goes_on_where_it_was(tmp_path: Path, state: SendState) -> None:
    text = b"".join(b"line %d\n" % number for number in range(400_000))
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(text[:1_000_000]) + gzip.compress(text[1_000_000:]))
    with closing(WholeFile(path, state).reading) as reading:
        piece = reading.piece()
        assert piece
        reading.move(piece.end, piece.data)
        state.save(reading.mark())
    with closing(WholeFile(path, state).reading) as reading:
        assert reading.restored
        assert drain(reading, state) == text[piece.end :]


def test_a_gzipped_file_cut_short_is_malformed(tmp_path: Path, state: SendState) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(b"line\n" * 100)[:-9])
    with closing(WholeFile(path, state).reading) as reading, pytest.raises(MalformedError):
        drain(reading, state)


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path, state: SendState) -> None:
    with pytest.raises(MalformedError):
        WholeFile(tmp_path, state)
