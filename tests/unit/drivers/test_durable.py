"""Files of one's own."""

import stat
from pathlib import Path

import pytest

from holdfast.drivers import durable


def test_a_file_is_its_owners_alone_and_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    durable.write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_there_only_once_its_bytes_are_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"

    def cut(_: int) -> None:
        raise OSError

    with monkeypatch.context() as plug:
        plug.setattr("os.fsync", cut)
        with pytest.raises(OSError):
            durable.write_private(path, b"half")
    assert not path.exists()
    durable.write_private(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]
