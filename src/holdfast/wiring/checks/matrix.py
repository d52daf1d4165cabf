"""The access matrix as it is enforced: the keeper is asked for every person, environment, stream and form.

It is asked through the gateway's socket, with the verb that the gateway itself asks before it shows what there is to
read; what it allows is compared with what the statements say of that person. Asking leaves no event behind.
"""

import asyncio
from collections.abc import Iterator, Sequence

from holdfast.drivers.gatewaykeeper import GatewayKeeper
from holdfast.drivers.keeperclient import AsyncKeeperClient
from holdfast.kernel.names import Form, Stream
from holdfast.rules.evidence import Outcome, Seen, contradicted, missing, observed
from holdfast.rules.policy import EnvironmentFacts, PersonFacts
from holdfast.rules.statedaccess import may_read
from holdfast.wiring.checks.view import View

AT_MOST = 20_000
"""Questions; of more pairs of person and environment every so many-th is asked about."""
NO_KEY = "SHA256:" + "A" * 43
"""The fingerprint of no SSH key."""

_Pair = tuple[PersonFacts, str, EnvironmentFacts]


def check(view: View) -> Seen:
    """Own customer, relevant team, operations, and nobody: as stated, or who is let in or shut out wrongly."""
    facts = _facts(view)
    while True:
        seen = _compare(view, *facts)
        again = _facts(view)
        if seen.outcome is not Outcome.CONTRADICTED or again == facts:
            return seen
        facts = again  # the register was changed meanwhile


def _facts(view: View) -> tuple[Sequence[PersonFacts], Sequence[EnvironmentFacts]]:
    return view.vault.keeper.persons(), view.vault.keeper.environments()


def _compare(view: View, persons: Sequence[PersonFacts], environments: Sequence[EnvironmentFacts]) -> Seen:
    if not persons:
        return missing("the register names no persons", environments=len(environments))
    pairs = list(_pairs(persons, environments))
    asked = pairs[:: -(-len(pairs) // AT_MOST)]
    decided = asyncio.run(_ask(view, asked))
    allowed = denied = opened = shut = 0
    for (person, fingerprint, environment), streams in zip(asked, decided, strict=True):
        for stream in Stream:
            for form in Form:
                said, stated = form in streams[stream], may_read(person, fingerprint, environment, stream, form)
                allowed, denied = allowed + said, denied + (not said)
                opened, shut = opened + (said and not stated), shut + (stated and not said)
    figures = {
        "persons": len(persons),
        "environments": len(environments),
        "allowed": allowed,
        "denied": denied,
        "wrongly_allowed": opened,
        "wrongly_denied": shut,
        "pairs_left_out": len(pairs) - len(asked),
    }
    if opened or shut:
        return contradicted("the keeper decides otherwise than is stated", **figures)
    return observed("the keeper lets in whom the statements name, and nobody else", **figures)


def _pairs(persons: Sequence[PersonFacts], environments: Sequence[EnvironmentFacts]) -> Iterator[_Pair]:
    """Each person over an SSH key of theirs, then over none, at each environment."""
    for person in persons:
        for fingerprint in (*sorted(person.fingerprints)[:1], NO_KEY):
            for environment in environments:
                yield person, fingerprint, environment


async def _ask(view: View, pairs: Sequence[_Pair]) -> list[dict[Stream, frozenset[Form]]]:
    client = AsyncKeeperClient(view.vault.home.socket("gateway"))
    try:
        keeper = GatewayKeeper(client)
        return [
            dict(await keeper.streams(person.id, fingerprint, environment.name))
            for person, fingerprint, environment in pairs
        ]
    finally:
        await client.close()
