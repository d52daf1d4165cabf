"""Which streams hold lines, and of how many environments: counted while everything held was recomputed."""

from collections.abc import Callable

from holdfast.kernel.names import UNCLAIMED, Stream
from holdfast.rules.evidence import Seen, missing, observed
from holdfast.wiring.checks.view import View


def check_of(stream: Stream) -> Callable[[View], Seen]:
    """The check of one stream. Lines that map to no environment are counted, and are no customer's."""

    def check(view: View) -> Seen:
        suffix = f" {stream.value}"
        held = {
            place.removesuffix(suffix): lines for place, lines in view.report.holding.items() if place.endswith(suffix)
        }
        unclaimed = held.pop(UNCLAIMED, 0)
        figures = {"lines": sum(held.values()), "environments": len(held), "unclaimed_lines": unclaimed}
        if not held:
            return missing(f"no environment has {stream.value} lines yet", **figures)
        return observed(f"{stream.value} lines of environments are held, each environment's apart", **figures)

    return check
