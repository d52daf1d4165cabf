"""No decision, no key: a visitor whom nobody knows asks the keeper to open what is held, and must get nothing.

Only `platform/unclaimed`, the platform's own, is asked for: a refused read is an event, and no customer's is to show
reads that none of their people tried.
"""

import asyncio

from holdfast.drivers.gatewaykeeper import GatewayKeeper, Opening
from holdfast.drivers.keeperclient import AsyncKeeperClient
from holdfast.kernel.names import UNCLAIMED, Form, PersonId, Stream
from holdfast.rules.evidence import Seen, contradicted, missing, observed
from holdfast.rules.policy import Allowed
from holdfast.wiring.checks.matrix import NO_KEY
from holdfast.wiring.checks.view import View

NOBODY = PersonId("p_" + "0" * 16)


def check(view: View) -> Seen:
    """Every stream, addresses in clear: refused, and no key in the refusal."""
    keys = [key for key in view.vault.catalogue().keys.values() if key.environment == UNCLAIMED and key.stream]
    there = sum(key.state == "active" for key in keys)
    openings = asyncio.run(_open(view))
    let_in = sum(isinstance(opening.decision, Allowed) for opening in openings)
    given = sum(len(opening.segments) + len(opening.journal) + len(opening.pseudonyms) for opening in openings)
    figures = {"asked": len(openings), "let_in": let_in, "keys_given": given, "keys_there": there}
    if let_in or given:
        return contradicted("the keeper gave somebody unknown what opens lines", **figures)
    if not there:
        return missing("there are no keys yet that could have been given", **figures)
    return observed("the keeper refused somebody unknown, and gave no key with the refusals", **figures)


async def _open(view: View) -> list[Opening]:
    client = AsyncKeeperClient(view.vault.home.socket("gateway"))
    try:
        keeper = GatewayKeeper(client)
        return [await keeper.open(NOBODY, NO_KEY, UNCLAIMED, stream, Form.CLEAR) for stream in Stream]
    finally:
        await client.close()
