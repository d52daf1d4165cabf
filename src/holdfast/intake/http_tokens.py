"""Who an intake token belongs to, asked of the keeper by the token's SHA-256 and remembered for ten seconds.

A token withdrawn at the keeper therefore works for ten seconds more; one just made is refused for as long only if it
was tried before it was made. The token itself is never kept and never leaves this process.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from holdfast.kernel.errors import RefusedError
from holdfast.kernel.names import EnvironmentName, Stream

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/-]{1,512}=*)\Z", re.ASCII | re.IGNORECASE)
_KEPT_SECONDS = 10.0
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """What a token allows. A sender (environment set) sends its own environment's lines; a recorder (None) the access
    records of any."""

    environment: EnvironmentName | None

    def place(self, named: EnvironmentName | None, stream: Stream) -> EnvironmentName:
        """The environment the lines go to. RefusedError if this token may not send them there."""
        if self.environment is None:
            if named is None or stream is not Stream.SSH_ACCESS:
                raise RefusedError(
                    "recorder-scope", "a recorder's token sends ssh-access records of a named environment"
                )
            return named
        if named not in (None, self.environment):
            raise RefusedError("token-environment", "this token belongs to another environment")
        if stream is Stream.SSH_ACCESS:
            raise RefusedError("token-stream", "ssh-access lines are taken from recorders and from sshd's syslog only")
        return self.environment


class Tokens(Protocol):
    """The keeper's list of tokens."""

    async def holder(self, digest: str) -> TokenHolder | None:
        """Who holds the token of this SHA-256 (hexadecimal), or None. BusyError if the keeper cannot be asked."""


class RememberedTokens:
    """Tokens, asked once in ten seconds each. At most 1024 are remembered."""

    def __init__(self, tokens: Tokens, monotonic: Callable[[], float]) -> None:
        self._tokens = tokens
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, TokenHolder | None]] = {}

    async def holder(self, authorization: str) -> TokenHolder | None:
        """The holder of the bearer token in an Authorization header, or None."""
        found = _BEARER.match(authorization)
        if not found:
            return None
        digest = hashlib.sha256(found[1].encode()).hexdigest()
        now = self._monotonic()
        known = self._known.get(digest)
        if known and now - known[0] < _KEPT_SECONDS:
            return known[1]
        holder = await self._tokens.holder(digest)
        self._known.pop(digest, None)
        self._known[digest] = now, holder
        if len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        return holder
