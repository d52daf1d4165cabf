"""Visitors' addresses in web access lines: what nobody can tell from what is stored."""

from holdfast.rules.evidence import Seen, missing
from holdfast.wiring.checks.view import View


def check(_view: View) -> Seen:
    """Said, not passed over: a pseudonym is an address like any other, and every one of them opens under the key."""
    return missing("stored lines do not tell a pseudonym from an address; S15's own connection shows the guard at work")
