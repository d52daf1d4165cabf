"""What wiring gives the console, as Django's setting `HOLDFAST`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from holdfast.drivers.logstanding import LogStanding
from holdfast.drivers.standing import Standing


class Keeper(Protocol):
    """The keeper as the console sees it: `health` and `counts`."""

    async def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The answer. BusyError if it is away."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node of this machine: its hosting, and how its log stands."""

    name: str
    hosting: str
    log: Callable[[], LogStanding | None]


SETTING = "HOLDFAST"


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """Live objects. `addresses` are shown as they are."""

    installation: str
    keeper: Keeper
    processes: Callable[[], Sequence[Standing]]
    nodes: Sequence[NodeView]
    addresses: Mapping[str, str]


def parts() -> ConsoleParts:
    """This process's own."""
    found: ConsoleParts = getattr(settings, SETTING)
    return found
