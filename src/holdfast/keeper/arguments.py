"""A request's arguments, strictly: each is asked for by name and type, one nobody asks for is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.formats import handouts
from holdfast.formats.sshkeys import fingerprint
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Day, parse_day
from holdfast.kernel.names import EnvironmentName, Form, KeyId, NodeName, Stream, environment_name, key_id, node_name


class Arguments:
    """The members of a request beside its verb. Every reader raises MalformedError naming the argument."""

    def __init__(self, members: Mapping[str, Any], allowed: Sequence[str]) -> None:
        unknown = sorted(set(members) - set(allowed))
        if unknown:
            raise MalformedError("argument-unknown", "the verb has no such argument", argument=unknown[0][:40])
        self._members = members

    def text(self, name: str, limit: int = 500) -> str:
        """A text."""
        return handouts.text(self._members, name, limit)

    def optional_text(self, name: str, limit: int = 500) -> str:
        """A text, or empty if it is not there."""
        return "" if self._members.get(name) is None else self.text(name, limit)

    def number(self, name: str, default: int) -> int:
        """A number from 0, or the default if it is not there."""
        return default if self._members.get(name) is None else handouts.number(self._members, name)

    def table(self, name: str) -> Mapping[str, Any]:
        """An object."""
        value = self._members.get(name)
        if not isinstance(value, dict):
            raise MalformedError("argument", "an object was expected here", argument=name)
        return value

    def tables(self, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        """A list of objects."""
        items = self._list(name, limit)
        if not all(isinstance(item, dict) for item in items):
            raise MalformedError("argument", "a list of objects was expected here", argument=name)
        return items

    def key_ids(self, name: str, limit: int) -> Sequence[KeyId]:
        """A list of key ids, doubles dropped."""
        items = self._list(name, limit)
        if not all(isinstance(item, str) for item in items):
            raise MalformedError("argument", "a list of key ids was expected here", argument=name)
        return list(dict.fromkeys(key_id(item) for item in items))

    def environment(self) -> EnvironmentName:
        """The environment."""
        return environment_name(self.text("environment"))

    def stream(self) -> Stream:
        """The stream."""
        return handouts.one_stream(self.text("stream"))

    def form(self) -> Form:
        """The form."""
        value = self.text("form")
        if value not in tuple(Form):
            raise MalformedError("form", "a form is pseudonym or clear")
        return Form(value)

    def node(self) -> NodeName:
        """The node."""
        return node_name(self.text("node"))

    def fingerprint(self) -> str:
        """An SSH key's fingerprint."""
        return fingerprint(self.text("fingerprint"))

    def optional_day(self, name: str) -> Day | None:
        """A day, or None if it is not there."""
        return None if self._members.get(name) is None else parse_day(self.text(name))

    def _list(self, name: str, limit: int) -> list[Any]:
        value = self._members.get(name)
        if not isinstance(value, list):
            raise MalformedError("argument", "a list was expected here", argument=name)
        if len(value) > limit:
            raise MalformedError("argument-size", "the list is too long", argument=name, limit=limit)
        return value
