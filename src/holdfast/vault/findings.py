"""What verification finds: values that a program can read and a person understands."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from holdfast.formats.canonical import Json
from holdfast.kernel.names import Stream


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold: which object, and the lines `first` to `last` it bears on (-1: none in
    particular)."""

    code: str
    says: str
    object: str
    node: str = ""
    environment: str = ""
    stream: str = ""
    first: int = -1
    last: int = -1

    def __str__(self) -> str:
        lines = f", lines {self.first} to {self.last}" if self.first >= 0 else ""
        where = f" ({self.environment} {self.stream}{lines})" if self.environment else lines
        return f"{self.object}: {self.says}{where}"


@dataclass(frozen=True, slots=True)
class LogHead:
    """A log as it was recomputed: its verifier key, and the size and root of its checkpoint."""

    vkey: str
    size: int
    root: str
    entries: int


@dataclass(slots=True)
class Report:
    """What was recomputed, what holds, what does not."""

    lines: int = 0
    batches: int = 0
    flushes: int = 0
    segments: int = 0
    unlogged: int = 0
    """Flushes in the journal that the log does not hold yet (it follows within a second or so)."""
    logs: dict[str, LogHead] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    holding: dict[str, int] = field(default_factory=dict)
    """Lines proved, by `environment stream`."""

    def proved(self, environment: str, stream: Stream, lines: int) -> None:
        """Count lines whose root was recomputed."""
        self.lines += lines
        if lines:
            place = f"{environment} {stream.value}"
            self.holding[place] = self.holding.get(place, 0) + lines

    @property
    def sound(self) -> bool:
        """Whether everything held."""
        return not self.findings

    def value(self) -> Mapping[str, Json]:
        """For `--json`."""
        return {
            "sound": self.sound,
            "lines": self.lines,
            "batches": self.batches,
            "flushes": self.flushes,
            "segments": self.segments,
            "unlogged": self.unlogged,
            "logs": {name: asdict(head) for name, head in self.logs.items()},
            "holding": dict(sorted(self.holding.items())),
            "findings": [asdict(finding) for finding in self.findings],
        }
