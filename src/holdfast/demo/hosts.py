"""The machines of the demo's customers: what runs on each, and how each sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from holdfast.demo import samples
from holdfast.demo.samples import Sample
from holdfast.demo.spelling import Dialect

STRANGER = "scanner-7"


@dataclass(frozen=True)
class Source:
    """Lines of one kind: how many at the beginning, and how many per second from then on."""

    lines: Sequence[Sample]
    burst: int
    per_second: float


@dataclass(frozen=True)
class Host:
    """A machine, the node it sends to, and its sources."""

    name: str
    node: str
    dialect: Dialect
    counted: bool
    sources: tuple[Source, ...]


def hosts() -> list[Host]:
    """All of them, with a stranger that no register knows."""
    half = 5000
    return [
        Host(
            "web1.acme.example",
            "n1",
            Dialect.RFC5424,
            True,
            (
                Source(samples.web("nginx", 0, half), 4000, 3.0),
                Source(samples.web_errors(), 60, 0.2),
                Source(samples.logins(), 150, 0.4),
                Source(samples.system(), 300, 0.3),
            ),
        ),
        Host("db1.acme.example", "n1", Dialect.RFC5424, False, (Source(samples.database(), 100, 0.2),)),
        Host(
            "www.globex.example",
            "n2",
            Dialect.RFC3164,
            False,
            (
                Source(samples.web("apache2", half, 2 * half), 3000, 2.0),
                Source(samples.logins(), 100, 0.3),
                Source(samples.system(), 200, 0.2),
            ),
        ),
        Host("app1.globex.example", "n2", Dialect.RFC3164, True, (Source(samples.application(), 400, 0.7),)),
        Host(STRANGER, "n1", Dialect.RFC3164, False, (Source(samples.strangers(), 20, 0.1),)),
    ]


class Speaking:
    """What a host says, in turn, for ever."""

    def __init__(self, host: Host) -> None:
        self._turns = [cycle(source.lines) for source in host.sources]
        self._sources = host.sources
        self._owed = [0.0] * len(host.sources)

    def burst(self) -> list[Sample]:
        """What it begins with."""
        return [
            next(turn) for turn, source in zip(self._turns, self._sources, strict=True) for _ in range(source.burst)
        ]

    def passed(self, seconds: float) -> list[Sample]:
        """What it said meanwhile."""
        said: list[Sample] = []
        for at, (turn, source) in enumerate(zip(self._turns, self._sources, strict=True)):
            self._owed[at] += source.per_second * seconds
            whole = int(self._owed[at])
            self._owed[at] -= whole
            said.extend(next(turn) for _ in range(whole))
        return said
