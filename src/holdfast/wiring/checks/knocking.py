"""At the gateway's door, from outside: one plain TCP connection that listens to what the server offers, and goes."""

import ipaddress
import socket
import time
from dataclasses import dataclass

from holdfast.formats.sshoffers import HEADER, SshOffer, packet_length, parse_offer
from holdfast.kernel.errors import BusyError
from holdfast.kernel.instants import Instant
from holdfast.wiring.configuration import Listener

SECONDS = 10.0
_BANNER_LIMIT = 8192
_VERSION = b"SSH-2.0-holdfast_attest\r\n"


@dataclass(frozen=True, slots=True)
class Knock:
    """What was offered, from which address it was asked, and between which instants the gateway took the connection."""

    offer: SshOffer
    address: str
    before: Instant
    after: Instant


def place_of(listener: Listener) -> tuple[str, int]:
    """Where a listener is reached from its own machine."""
    address = ipaddress.ip_address(listener.address)
    if address.is_unspecified:
        return ("127.0.0.1" if address.version == 4 else "::1"), listener.port
    return listener.place


def knock(listener: Listener) -> Knock:
    """Connect, read the offer, hang up. BusyError `gateway-away` if nobody answers; MalformedError if it is not SSH."""
    before = Instant(time.time_ns())
    try:
        with socket.create_connection(place_of(listener), SECONDS) as connection:
            address = str(connection.getsockname()[0])
            connection.sendall(_VERSION)
            with connection.makefile("rb") as source:
                banner = 0
                while not (line := source.readline(_BANNER_LIMIT)).startswith(b"SSH-2.0-"):
                    banner += len(line)
                    if not line or banner > _BANNER_LIMIT:
                        raise BusyError("gateway-away", "the gateway does not answer as an SSH server")
                header = source.read(HEADER)
                offer = parse_offer(header, source.read(packet_length(header)))
                # The system took the connection at once, the gateway when it got to it: before it spoke.
                return Knock(offer, address, before, Instant(time.time_ns()))
    except OSError:
        raise BusyError("gateway-away", "the gateway does not answer") from None
