"""Checks of the statements over the running system: what is looked at is what runs and what is stored, never what is
declared. One subject a module, each with `check(view) -> Seen`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from holdfast.kernel.errors import HoldfastError, VerificationError
from holdfast.kernel.instants import Instant, rfc3339
from holdfast.kernel.names import Stream
from holdfast.rules.evidence import Evidence, Seen, contradicted, missing
from holdfast.wiring.checks import (
    addresses,
    connections,
    door,
    immutability,
    keys,
    matrix,
    proofs,
    resting,
    streams,
)
from holdfast.wiring.checks.view import View

STATEMENTS = (*(f"S{number}" for number in range(1, 18)), *(f"B{number}" for number in range(1, 6)))
"""Everything that is stated; docs/attest.md says what of it is looked at."""


@dataclass(frozen=True, slots=True)
class Check:
    """A way to look, and the statements that what it sees bears on."""

    name: str
    statements: tuple[str, ...]
    look: Callable[[View], Seen]


CHECKS = (
    Check("stored-bytes", ("S8", "S13", "B2"), immutability.check),
    Check("resting-places", ("S5",), resting.check),
    Check("app-lines", ("S7",), streams.check_of(Stream.APP)),
    Check("system-lines", ("S10",), streams.check_of(Stream.SYSTEM)),
    Check("ssh-door", ("S9", "S13"), door.check),
    Check("access-matrix", ("S9", "S12", "S13", "S14"), matrix.check),
    Check("no-key-without-decision", ("B3",), keys.check),
    Check("visitor-addresses", ("S13",), addresses.check),
    Check("connection-records", ("S15",), connections.check),
    Check("line-proof", ("B5",), proofs.check),
)


def unlooked() -> tuple[str, ...]:
    """The statements that no check looks at yet."""
    looked = {statement for check in CHECKS for statement in check.statements}
    return tuple(statement for statement in STATEMENTS if statement not in looked)


def attest(view: View, looking: Callable[[str], None]) -> Iterator[Evidence]:
    """The evidence of every check, one for each statement it bears on. `looking` is told a check's name before it."""
    for check in CHECKS:
        looking(check.name)
        looked_at = rfc3339(Instant(time.time_ns()))
        seen = _seen(check, view)
        for statement in check.statements:
            yield Evidence(statement, check.name, seen.outcome, seen.says, seen.figures, looked_at)


def _seen(check: Check, view: View) -> Seen:
    """Damage contradicts; what cannot be looked at now is missing."""
    try:
        return check.look(view)
    except VerificationError as error:
        return contradicted(error.message, code=error.code)
    except HoldfastError as error:
        return missing(error.message, code=error.code)
