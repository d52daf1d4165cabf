import json
import uuid
from pathlib import Path

import pytest
from tests.support.fakenode import ENVIRONMENT, SIGNER

from holdfast.drivers.sendstate import SendState
from holdfast.formats.promises import Promise
from holdfast.kernel.errors import ConfigurationError, ConflictError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.vault.sending import FileMark, Piece

MARK = FileMark("/var/log/a.log", 2**60 + 1, 7, 0, "0" * 32, 4, 4, "aa", 4, "bb")
PROMISE = SIGNER.sign(Promise(ENVIRONMENT, Stream.APP, NodeName("n1"), 0, 1, bytes(32), Instant(0)))


def open_state(folder: Path, node: str = "http://n1", environment: str = "acme/main") -> SendState:
    return SendState(folder, node, EnvironmentName(environment), Stream.APP, lambda: str(uuid.uuid4()))


def test_sender_and_marks_are_there_after_a_restart(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    state.save(MARK)
    state.close()
    again = open_state(tmp_path)
    assert (again.sender, again.known(2**60 + 1, 7)) == (state.sender, MARK)
    again.close()


def test_another_node_meets_another_sender_at_the_same_positions(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    state.save(MARK)
    state.close()
    moved = open_state(tmp_path, node="http://n2")
    assert moved.moved
    assert moved.sender != state.sender
    assert moved.known(2**60 + 1, 7) == MARK
    moved.close()


def test_only_one_send_uses_a_state_folder(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    with pytest.raises(ConflictError, match="state-in-use"):
        open_state(tmp_path)
    state.close()
    open_state(tmp_path).close()


def test_a_state_folder_of_another_environment_is_not_used(tmp_path: Path) -> None:
    open_state(tmp_path).close()
    with pytest.raises(ConfigurationError, match="state-of-another"):
        open_state(tmp_path, environment="other/main")


@pytest.mark.parametrize(
    "damage", ["", "{}", '{"v":1,"node":"n","sender":"s","environment":"acme/main","stream":"app","files":[{}]}']
)
def test_a_damaged_state_is_said_to_be(tmp_path: Path, damage: str) -> None:
    (tmp_path / "state.json").write_text(damage)
    with pytest.raises(ConfigurationError, match="state-damaged"):
        open_state(tmp_path)


def test_promises_are_appended_and_half_a_line_of_a_crash_is_cut_off(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    state.keep(MARK, Piece(0, b"one\n", False), PROMISE)
    state.close()
    with (tmp_path / "promises").open("ab") as file:
        file.write(b'{"digest":"12')
    again = open_state(tmp_path)
    again.keep(MARK, Piece(4, b"two\n", False), PROMISE)
    again.close()
    kept = [json.loads(line) for line in (tmp_path / "promises").read_bytes().splitlines()]
    assert [(row["offset"], row["length"]) for row in kept] == [("0", "4"), ("4", "4")]
    assert kept[0]["promise"] == PROMISE.value()
