from pathlib import Path

from holdfast.drivers.logstanding import log_standing
from holdfast.drivers.standing import Standing, read_standing, write_standing
from holdfast.formats.checkpoints import Checkpoint, sign_checkpoint
from holdfast.formats.notes import signer


def test_what_is_written_of_processes_is_read_back(tmp_path: Path) -> None:
    standing = [Standing("n1", "ready", 7, 1_795_503_008, 2)]
    write_standing(tmp_path / "standing.json", standing)
    assert read_standing(tmp_path / "standing.json") == standing


def test_a_standing_that_does_not_read_says_nothing(tmp_path: Path) -> None:
    assert read_standing(tmp_path / "standing.json") == []
    for text in ("", "[]", '{"processes": [1]}', '{"processes": [{"name": "n1"}]}'):
        (tmp_path / "standing.json").write_text(text)
        assert read_standing(tmp_path / "standing.json") == []


def test_a_log_stands_at_its_checkpoint(tmp_path: Path) -> None:
    assert log_standing(tmp_path) is None
    checkpoint = Checkpoint("logs.example/n1", 42, bytes(32))
    (tmp_path / "checkpoint").write_bytes(sign_checkpoint(checkpoint, signer("logs.example/n1", bytes(32))))
    standing = log_standing(tmp_path)
    assert standing is not None
    assert (standing.size, standing.age_seconds < 60) == (42, True)
    (tmp_path / "checkpoint").write_bytes(b"no note")
    assert log_standing(tmp_path) is None
