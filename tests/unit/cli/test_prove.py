"""A proof checked by command."""

from pathlib import Path

import pytest
from tests.support.logs import VERIFIER

from holdfast.cli import main


def test_what_is_no_proof_does_not_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "p"
    proof.write_bytes(b"holdfast-line-proof@v1\n")
    assert main(["check", str(proof), "--key", VERIFIER.vkey()]) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out


def test_a_key_that_is_none_says_nothing_of_the_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "p"
    proof.write_bytes(b"")
    assert main(["check", str(proof), "--key", "n1+00000000+AAAA"]) == 65
    assert "DOES NOT HOLD" not in capsys.readouterr().out
