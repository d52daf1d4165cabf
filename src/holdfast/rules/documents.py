"""Strict reading of a document of tables, lists and strings: every value is asked for, what is left over is an error.

Errors carry the place (`people.ada.keys.0`), cut to 120 characters, and never the value.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import WORD

_WORD = re.compile(rf"{WORD}\Z", re.ASCII)
WORD_LIMIT = 49
"""So that `project/environment` stays within the 100 characters of an environment name."""


def malformed(place: str, message: str, code: str = "register") -> MalformedError:
    """The error for a value at a place."""
    return MalformedError(code, message, place=place[:120])


class Table:
    """One table of the document and its place. `end()` refuses what was not asked for."""

    def __init__(self, value: object, place: str = "") -> None:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise malformed(place or "document", "a table was expected here")
        self._value: Mapping[str, Any] = value
        self._place = place
        self._asked: set[str] = set()

    def place(self, name: str) -> str:
        """The place of a member."""
        return f"{self._place}.{name}" if self._place else name

    def end(self) -> None:
        """MalformedError `register-unknown` if the table holds a name nobody asked for."""
        for name in self._value:
            if name not in self._asked:
                raise malformed(self.place(name), "an unknown word in the register document", "register-unknown")

    def _take(self, name: str) -> Any:
        self._asked.add(name)
        return self._value.get(name)

    def text(self, name: str, limit: int = 200) -> str:
        """A printable text that is not empty."""
        return printable(self._take(name), self.place(name), limit)

    def optional_text(self, name: str, limit: int = 200) -> str:
        """A printable text, or empty if it is not there."""
        return self.text(name, limit) if self._take(name) is not None else ""

    def flag(self, name: str) -> bool:
        """A boolean, false if it is not there."""
        value = self._take(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise malformed(self.place(name), "true or false was expected here")
        return value

    def texts(self, name: str, limit: int) -> list[tuple[str, str]]:
        """A list of printable texts without doubles, each with its place; empty if it is not there."""
        items = self._list(name, limit)
        found = [(printable(item, f"{self.place(name)}.{at}", 8192), f"{self.place(name)}.{at}") for at, item in items]
        if len({text for text, _ in found}) != len(found):
            raise malformed(self.place(name), "the same value stands here twice")
        return found

    def rows(self, name: str, limit: int) -> "Iterator[Table]":
        """A list of tables; empty if it is not there."""
        for at, item in self._list(name, limit):
            yield Table(item, f"{self.place(name)}.{at}")

    def _list(self, name: str, limit: int) -> "enumerate[object]":
        value = self._take(name)
        value = [] if value is None else value
        if not isinstance(value, list) or len(value) > limit:
            raise malformed(self.place(name), f"a list of at most {limit} was expected here")
        return enumerate(value)

    def table(self, name: str) -> "Table":
        """A table, empty if it is not there."""
        value = self._take(name)
        return Table({} if value is None else value, self.place(name))

    def members(self, limit: int) -> Iterator[tuple[str, Any, str]]:
        """Every member of a table whose names are chosen by the writer: name, value and place. Names are words."""
        if len(self._value) > limit:
            raise malformed(self._place, f"at most {limit} are possible here")
        for name, value in self._value.items():
            self._asked.add(name)
            yield word(name, self.place(name)), value, self.place(name)


def word(text: object, place: str) -> str:
    """A lower-case word of letters and digits joined by single hyphens, 49 characters at most."""
    if not isinstance(text, str) or len(text) > WORD_LIMIT or not _WORD.match(text):
        raise malformed(place, "a name is a lower-case word of letters and digits joined by single hyphens")
    return text


def printable(value: object, place: str, limit: int) -> str:
    """A text without control characters, not empty, within the limit."""
    if not isinstance(value, str) or not value or len(value) > limit or not value.isprintable():
        raise malformed(place, f"a printable text of 1 to {limit} characters was expected here")
    return value
