"""Settings in environment variables: `HOLDFAST_GATEWAY__PORT=2022` is `gateway.port`.

Two underscores nest; within a name of yours (a node's, a store's) one underscore stands for a hyphen. What a value must
be follows from the setting: decimal digits where a number is wanted, anything where text is. A variable that is no
setting is refused like a key of the file that is none, but for those that processes of ours use themselves.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from holdfast.kernel.errors import ConfigurationError
from holdfast.wiring.configuration import Settings

PREFIX = "HOLDFAST_"
OWN = frozenset({"HOLDFAST_HOME", "HOLDFAST_NODE", "HOLDFAST_TOKEN", "HOLDFAST_READY_FD", "HOLDFAST_LIFELINE_FD"})
"""Variables that are not settings: the home itself, those of `holdfast send`, and those `up` gives its children."""

_INTEGER = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z", re.ASCII)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,9})?\Z", re.ASCII)


def variable_of(path: tuple[str, ...]) -> str:
    """The variable that sets a setting."""
    return PREFIX + "__".join(part.upper().replace("-", "_") for part in path)


class Variables:
    """The settings among environment variables."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._tree: dict[str, Any] = {}
        self._names: dict[tuple[str, ...], str] = {}
        for name in sorted(environ):
            if name.startswith(PREFIX) and name not in OWN:
                self._set(name, environ[name])

    def tree(self) -> dict[str, Any]:
        """The values, nested as in the file."""
        return self._tree

    def place(self, path: tuple[str, ...]) -> str | None:
        """The variable that sets this path, or something inside it; None if none does."""
        for known, name in self._names.items():
            if known[: len(path)] == path or path[: len(known)] == known:
                return f"variable {name}"
        return None

    def _set(self, name: str, text: str) -> None:
        wanted: Any = Settings
        path: list[str] = []
        for part in name.removeprefix(PREFIX).lower().split("__"):
            if isinstance(wanted, type) and issubclass(wanted, BaseModel):
                field = wanted.model_fields.get(part)
                if field is None:
                    raise _wrong(name, ".".join([*path, part]), "nothing: there is no such setting")
                wanted = field.annotation
            elif get_origin(wanted) is dict:
                part, wanted = part.replace("_", "-"), get_args(wanted)[1]
            else:
                raise _wrong(name, ".".join([*path, part]), "nothing: there is no such setting")
            wanted = _bare(wanted)
            path.append(part)
        at = self._tree
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = _value(name, ".".join(path), wanted, text)
        self._names[tuple(path)] = name


def _bare(annotation: Any) -> Any:
    """The type without what `Annotated` adds."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    return annotation


def _value(name: str, setting: str, wanted: Any, text: str) -> str | int | float:
    if wanted is str:
        return text
    if wanted is int and _INTEGER.match(text):
        return int(text)
    if wanted is float and _NUMBER.match(text):
        return float(text)
    allowed = {int: "a whole number, in digits", float: "a number, in digits"}
    raise _wrong(name, setting, allowed.get(wanted, "a table: set what is in it, with two underscores between"))


def _wrong(name: str, setting: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(
        "setting", "a setting is wrong", setting=setting, place=f"variable {name}", allowed=allowed
    )
