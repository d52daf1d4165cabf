"""Settings read from `holdfast.toml` and from `HOLDFAST_...` variables, which win.

A wrong setting is a ConfigurationError that names its key, where its value stands (file and line, or the variable) and
what is allowed. The value itself is never repeated: somebody may have pasted a secret into the wrong place.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, TomlConfigSettingsSource

from holdfast.kernel.errors import ConfigurationError
from holdfast.wiring.configuration import Settings
from holdfast.wiring.places import line_of
from holdfast.wiring.variables import Variables, variable_of

FILE_LIMIT = 1 << 20


def read_settings(file: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of an installation.

    ConfigurationError `settings-missing`, `settings-file` (not TOML) or `setting` (a wrong one).
    """
    variables = Variables(os.environ if environ is None else environ)
    text = _text(file)

    class Reading(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return _VariableSource(settings_cls, variables), TomlConfigSettingsSource(settings_cls, file)

    try:
        return Reading()  # type: ignore[call-arg]  # the sources bring them
    except ValidationError as error:
        raise _wrong(error, file, text, variables) from None


class _VariableSource(PydanticBaseSettingsSource):
    def __init__(self, settings_cls: type[BaseSettings], variables: Variables) -> None:
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return self._variables.tree().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._variables.tree()


def _text(file: Path) -> str:
    try:
        with file.open("rb") as source:
            data = source.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise ConfigurationError("settings-file", "the settings file is too large", limit=FILE_LIMIT)
        text = data.decode()
        tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigurationError(
            "settings-missing", "there is no home here; `holdfast init` makes one", file=str(file)
        ) from None
    except OSError as error:
        raise ConfigurationError(
            "settings-file", "the settings file cannot be read", file=str(file), cause=type(error).__name__
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError("settings-file", "the settings file is not UTF-8 text", file=str(file)) from None
    except tomllib.TOMLDecodeError as error:
        # The parser's words hold a position and no value of the file's.
        where = str(error).partition("(")[2].removesuffix(")") or "somewhere"
        raise ConfigurationError(
            "settings-file", "the settings file is not TOML", file=str(file), where=where
        ) from None
    return text


def _wrong(error: ValidationError, file: Path, text: str, variables: Variables) -> ConfigurationError:
    first = error.errors(include_url=False, include_input=False)[0]
    path = tuple(str(part) for part in first["loc"] if part != "[key]")
    place = variables.place(path)
    if place is None:
        line = line_of(text, path)
        place = f"{file}:{line}" if line else str(file)
    return ConfigurationError(
        "setting", "a setting is wrong", setting=_dotted(path), place=place, allowed=_allowed(first, path)
    )


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(path) or "(several)"


def _allowed(detail: Any, path: tuple[str, ...]) -> str:
    """What may stand there, in words that hold nothing of what does."""
    context = detail.get("ctx", {})
    kind: str = detail["type"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return "nothing: there is no such setting"
    if kind == "missing":
        return f"a value: it must be set, here or as {variable_of(path)}"
    words = {
        "greater_than_equal": "a number of at least {ge}",
        "less_than_equal": "a number of at most {le}",
        "int_type": "a whole number",
        "float_type": "a number",
        "string_type": "text in quotes",
        "dict_type": "a table",
        "model_type": "a table",
        "too_short": "at least {min_length}",
        "too_long": "at most {max_length}",
        "string_too_short": "at least {min_length} characters",
        "string_too_long": "at most {max_length} characters",
    }
    return words.get(kind, "what docs/settings.md says").format(**context)
