"""What was seen of a statement: values. A statement is not judged here, and no law is: somebody looked, and says what.

`observed`: what was looked at is as stated. `contradicted`: something is not. `missing`: nothing could be seen, and
why. `says` and the figures hold names, counts and sizes, never anything out of a log line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How what was seen stands to what is stated."""

    OBSERVED = "observed"
    CONTRADICTED = "contradicted"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check saw, in a sentence and in figures."""

    outcome: Outcome
    says: str
    figures: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one check saw, for one statement. `looked_at` is RFC 3339, UTC: when it began to look."""

    statement: str
    check: str
    outcome: Outcome
    says: str
    figures: Mapping[str, int | str]
    looked_at: str

    def value(self) -> Mapping[str, object]:
        """For `--json`."""
        return {
            "statement": self.statement,
            "check": self.check,
            "outcome": self.outcome.value,
            "says": self.says,
            "figures": dict(self.figures),
            "looked_at": self.looked_at,
        }


def observed(says: str, **figures: int | str) -> Seen:
    """As stated."""
    return Seen(Outcome.OBSERVED, says, figures)


def contradicted(says: str, **figures: int | str) -> Seen:
    """Not as stated."""
    return Seen(Outcome.CONTRADICTED, says, figures)


def missing(says: str, **figures: int | str) -> Seen:
    """Not to be seen."""
    return Seen(Outcome.MISSING, says, figures)
