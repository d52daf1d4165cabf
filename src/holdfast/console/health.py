"""How everything stands, gathered: values for the health page."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.console.parts import ConsoleParts
from holdfast.drivers.logstanding import LogStanding
from holdfast.drivers.standing import Standing
from holdfast.kernel.errors import HoldfastError


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A node and its log's newest checkpoint, if there is one."""

    name: str
    hosting: str
    log: LogStanding | None

    @property
    def age(self) -> str:
        """How old the checkpoint is, in words."""
        return "" if self.log is None else lasting(self.log.age_seconds)


@dataclass(frozen=True, slots=True)
class ProcessHealth:
    """A process as `holdfast up` sees it."""

    standing: Standing
    now: float

    @property
    def since(self) -> str:
        """How long it has been in its state, in words."""
        return lasting(int(self.now) - self.standing.since)


@dataclass(frozen=True, slots=True)
class Health:
    """The whole of it. `keeper` is None while it does not answer; `processes` is empty unless `up` runs them."""

    installation: str
    keeper: dict[str, Any] | None
    counts: dict[str, Any]
    processes: Sequence[ProcessHealth]
    nodes: Sequence[NodeHealth]

    @property
    def well(self) -> bool:
        """Whether nothing is amiss: the keeper answers, every process is ready, every node has a log."""
        keeper = self.keeper is not None and self.keeper.get("healthy") is True
        ready = all(process.standing.state == "ready" for process in self.processes)
        return keeper and ready and all(node.log is not None for node in self.nodes)

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "status": "well" if self.well else "degraded",
            "installation": self.installation,
            "keeper": {"answers": self.keeper is not None, **(self.keeper or {})},
            "counts": self.counts,
            "processes": [process.standing.value() for process in self.processes],
            "nodes": [
                {"name": node.name, "hosting": node.hosting, "checkpoint": node.log.value() if node.log else None}
                for node in self.nodes
            ],
        }


async def gather(parts: ConsoleParts) -> Health:
    """Look at everything now. What cannot be seen is shown as such; nothing is raised for it."""
    try:
        keeper = await parts.keeper.call("health")
        counts = await parts.keeper.call("counts")
    except HoldfastError:
        keeper, counts = None, {}
    now = time.time()
    standing = await asyncio.to_thread(parts.processes)
    nodes = [NodeHealth(node.name, node.hosting, await asyncio.to_thread(node.log)) for node in parts.nodes]
    return Health(parts.installation, keeper, counts, [ProcessHealth(one, now) for one in standing], nodes)


def lasting(seconds: int) -> str:
    """A span of time in its largest whole unit: `42 s`, `3 min`, `5 h`, `2 days`."""
    seconds = max(0, seconds)
    for size, unit in ((172_800, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // (86_400 if unit == 'days' else size)} {unit}"
    return f"{seconds} s"
