import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from holdfast.wiring.configuration import Settings
from holdfast.wiring.variables import OWN

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
PLACEHOLDERS = {"nodes": "<name>", "stores": "<vendor>-<region>"}


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting's name and default."""
    for name, field in model.model_fields.items():
        wanted: Any = field.annotation
        place = prefix + name
        if get_origin(wanted) is dict:
            place += "." + PLACEHOLDERS[name]
            wanted = get_args(wanted)[1]
        if isinstance(wanted, type) and issubclass(wanted, BaseModel):
            yield from settings(wanted, place + ".")
        else:
            yield place, field.default


def test_the_page_lists_every_setting_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([a-z][^`]*)` \|", PAGE, re.MULTILINE))
    assert documented == {name for name, _ in settings(Settings)}


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    for name, default in settings(Settings):
        if default is not PydanticUndefined and not isinstance(default, dict):
            assert f"| `{name}` | `{default}` |" in PAGE


def test_variables_that_are_not_settings_are_on_the_page() -> None:
    assert all(f"`{name}`" in PAGE for name in OWN)
