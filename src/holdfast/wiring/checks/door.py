"""The gateway's door as a stranger finds it: which proofs of who one is it takes, and which algorithms it offers."""

import asyncio

import asyncssh

from holdfast.kernel.errors import BusyError
from holdfast.kernel.names import login_name
from holdfast.rules.evidence import Seen, contradicted, observed
from holdfast.wiring.checks.knocking import SECONDS, knock, place_of
from holdfast.wiring.checks.view import View

NOBODY = "attest--nobody"
_LOGINS = 4
"""User names that are tried: environments there are, and one that is most likely none."""


def check(view: View) -> Seen:
    """Keys alone, no SHA-1, no CBC: asked of the server that runs."""
    listener = view.vault.settings.gateway
    offer = knock(listener).offer
    environments = view.vault.keeper.environments()[: _LOGINS - 1]
    logins = [*(login_name(environment.name) for environment in environments), NOBODY]
    offered = [asyncio.run(_methods(*place_of(listener), login)) for login in logins]
    methods = sorted({method for found in offered for method in found})
    figures: dict[str, int | str] = {
        "methods": " ".join(methods),
        "logins": len(logins),
        "kex": " ".join(offer.kex),
        "host_keys": " ".join(offer.host_keys),
        "ciphers": " ".join(offer.ciphers),
        "macs": " ".join(offer.macs),
    }
    if methods != ["publickey"]:
        return contradicted("the gateway lets people in by other means than SSH keys", **figures)
    if weak := offer.weak():
        return contradicted("the gateway offers algorithms that no longer hold", weak=" ".join(weak), **figures)
    return observed("the gateway takes public keys and nothing else, and offers no SHA-1 and no CBC", **figures)


async def _methods(address: str, port: int, login: str) -> list[str]:
    """What a visitor who shows nothing is told to show. `none` if they are let in."""
    try:
        async with asyncio.timeout(SECONDS):
            found = await asyncssh.get_server_auth_methods(address, port, login, config=None)
    except (OSError, asyncssh.Error):  # TimeoutError is an OSError
        raise BusyError("gateway-away", "the gateway does not answer") from None
    return [str(method) for method in found]
