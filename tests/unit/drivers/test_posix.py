"""The store on a disk keeps what vault.ports.Store promises."""

import errno
import os
import pickle
from pathlib import Path

import pytest

from holdfast.drivers.memory import MemoryStore
from holdfast.drivers.posix import PosixStore
from holdfast.kernel.errors import BusyError, ConflictError, MalformedError, OutcomeUnknownError
from holdfast.vault.ports import Store


@pytest.fixture(params=["posix", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return PosixStore(tmp_path / "deep" / "store") if request.param == "posix" else MemoryStore()


def test_an_object_is_made_once_and_never_overwritten(store: Store) -> None:
    store.create("a/b", b"first")
    for again in (lambda: store.create("a/b", b"second"), lambda: _stream(store, "a/b")):
        with pytest.raises(ConflictError, match="object-exists"):
            again()
    assert store.read("a/b") == b"first"


def _stream(store: Store, name: str) -> None:
    with store.writing(name) as sink:
        sink.write(b"streamed ")
        sink.write(b"whole")


def test_a_streamed_object_appears_only_when_its_block_ends_well(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012, SIM117
        with store.writing("x/y") as sink:
            sink.write(b"half")
            assert not store.exists("x/y")
            raise ZeroDivisionError
    assert list(store.names()) == []
    _stream(store, "x/y")
    with store.open("x/y") as source:
        source.seek(9)
        assert source.read() == b"whole"


def test_another_process_opens_what_this_one_made(tmp_path: Path) -> None:
    store = PosixStore(tmp_path)
    store.create("a/b", b"first")
    with pickle.loads(pickle.dumps(store.open))("a/b") as source:
        assert source.read() == b"first"


def test_names_are_sorted_as_text_and_cut_by_prefix(store: Store) -> None:
    for name in ("a/b/d", "a-b", "a/b-c/d", "a/b.c", "z", "aa/b"):
        store.create(name, b"")
    assert list(store.names()) == sorted(store.names())
    assert len(list(store.names())) == 6
    assert list(store.names("a/b-")) == ["a/b-c/d"]
    assert list(store.names("z")) == ["z"]
    assert list(store.names("nothing/here")) == []


def test_replacing_and_deleting_are_quiet_about_what_was_there(store: Store) -> None:
    store.replace("checkpoint", b"1")
    store.replace("checkpoint", b"2")
    assert store.read("checkpoint") == b"2"
    store.delete("checkpoint")
    store.delete("checkpoint")
    assert not store.exists("checkpoint")
    for missing in (store.read, store.open):
        with pytest.raises(ConflictError, match="object-missing"):
            missing("checkpoint")


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a/.b", "a b", "a\n", "a\x00", "é", "a" * 300]
)
def test_a_name_that_leaves_the_folder_or_hides_is_refused(tmp_path: Path, name: str) -> None:
    store = PosixStore(tmp_path)
    for use in (store.read, store.exists, store.delete, lambda name: store.create(name, b"")):
        with pytest.raises(MalformedError, match="object-name"):
            use(name)


def test_files_are_0600_and_folders_0700(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        PosixStore(tmp_path / "s").create("a/b", b"x")
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "s").rglob("*")}
    assert modes == {".partial": 0o700, "a": 0o700, "b": 0o600}
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700


def test_leftovers_go_at_the_next_start_but_not_a_file_being_written(tmp_path: Path) -> None:
    writer = PosixStore(tmp_path)
    (tmp_path / ".partial" / "left").write_bytes(b"half")
    with writer.writing("a") as sink:
        sink.write(b"x")
        PosixStore(tmp_path)
    assert writer.read("a") == b"x"
    assert list((tmp_path / ".partial").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "family"), [(errno.ENOSPC, BusyError), (errno.EDQUOT, BusyError), (errno.EIO, OutcomeUnknownError)]
)
def test_a_full_or_broken_disk_leaves_no_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, family: type[Exception]
) -> None:
    store = PosixStore(tmp_path)

    def failing(_: int) -> None:
        raise OSError(code, "on purpose")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(family):
        store.create("a", b"x")
    with pytest.raises(family):
        store.replace("b", b"x")
    monkeypatch.undo()
    assert list(store.names()) == []
    assert list((tmp_path / ".partial").iterdir()) == []
    store.create("a", b"x")


def test_file_folder_and_new_parents_are_synced_before_create_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PosixStore(tmp_path)
    synced = []

    def remembering(descriptor: int, fsync: object = os.fsync) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path)))
        fsync(descriptor)  # type: ignore[operator]

    monkeypatch.setattr(os, "fsync", remembering)
    store.create("a/b/c", b"x")
    assert synced[0].startswith(".partial/")
    assert synced[1:] == [".", "a", "a/b"]
