"""The record of one SSH connection ⇄ bytes: one line of canonical JSON in its environment's `ssh-access` stream.

It says who came, with which key, from where, when, for how long, how much was read and how it ended; never what was
typed, asked for or shown. The address goes in as text and is made a pseudonym by the guard like any other.
"""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.formats import canonical
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant, parse_rfc3339, rfc3339
from holdfast.kernel.names import PersonId


class Outcome(StrEnum):
    """How a connection ended."""

    SERVED = "served"
    """Authenticated, and closed in order."""
    BROKEN = "broken"
    """Authenticated, and the network or the client went away."""
    REFUSED = "refused"
    """No key it showed may connect to this environment."""
    UNAUTHENTICATED = "unauthenticated"
    """It went away, or ran out of time, before it showed a key."""


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One connection. `key` is a fingerprint (`SHA256:...`); `seconds` whole; `bytes_out` of channel data. `person` is
    who the key belongs to, where anybody: that alone does not say they were let in.

    `others` counts further refused connections that this one record stands for, when they came in a flood.
    """

    began: Instant
    seconds: int
    address: str
    person: PersonId | None
    key: str | None
    outcome: Outcome
    channels: int = 0
    bytes_out: int = 0
    others: int = 0

    def encode(self) -> bytes:
        """Canonical JSON, without a line end."""
        return canonical.dump(
            {
                "v": 1,
                "kind": "connection",
                "began": rfc3339(self.began),
                "seconds": self.seconds,
                "address": self.address,
                "person": self.person,
                "key": self.key,
                "outcome": self.outcome.value,
                "channels": self.channels,
                "bytes_out": str(self.bytes_out),
                "others": self.others,
            }
        )


def parse_connection(data: bytes) -> ConnectionRecord:
    """The record of those bytes. MalformedError for anything `encode` does not write."""
    value = canonical.load_object(data)
    try:
        record = ConnectionRecord(
            parse_rfc3339(str(value["began"])),
            _count(value["seconds"]),
            str(value["address"]),
            None if value["person"] is None else PersonId(str(value["person"])),
            None if value["key"] is None else str(value["key"]),
            Outcome(str(value["outcome"])),
            _count(value["channels"]),
            int(str(value["bytes_out"])),
            _count(value["others"]),
        )
        if record.encode() == data:
            return record
    except (KeyError, ValueError):
        pass
    raise MalformedError("connection-record", "a connection record does not read")


def _count(value: canonical.Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError
