import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.cli import COMMANDS, _parser

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
SECTIONS = {section.split(maxsplit=2)[1]: section for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}


def options(parser: argparse.ArgumentParser, command: str) -> Iterator[str]:
    """Every long option of a command and its verbs."""
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--") and name != "--help")
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                if parser.prog != "holdfast" or name == command:
                    yield from options(inner, command)


def test_the_page_has_a_section_for_every_command_and_no_other() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_section_names_all_of_its_options(command: str) -> None:
    missing = {option for option in options(_parser(command), command) if f"`{option}" not in SECTIONS[command]}
    assert not missing
