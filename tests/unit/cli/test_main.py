import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.cli import COMMANDS, main


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from holdfast.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted({'polars', 'django', 'asyncssh', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert said.stdout.splitlines()[-1] == "[]"
    assert all(f"\n    {name} " in said.stdout for name in COMMANDS)


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(__file__).parents[3] / "src")}


@pytest.mark.parametrize("words", [[], ["fly"], ["init", "--nonsense"], ["node"], ["token"]])
def test_a_command_used_wrongly_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_an_error_is_one_plain_line_and_the_status_of_its_family(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--home", str(tmp_path / "none")]) == 78
    said = capsys.readouterr()
    assert said.err.startswith("holdfast: there is no home here")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_program_gets_the_error_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", "--home", str(tmp_path / "none")]) == 78
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["family"], error["code"]) == ("configuration", "settings-missing")


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("holdfast.cli.init.run", interrupted)
    assert main(["init"]) == 130
