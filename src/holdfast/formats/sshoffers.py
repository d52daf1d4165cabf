"""What an SSH server offers before anything is secret ⇄ values: its version line and its KEXINIT packet (RFC 4253)."""

from dataclasses import dataclass

from holdfast.kernel.errors import MalformedError

PACKET_LIMIT = 35_000
"""RFC 4253, 6.1: what every implementation has to take."""
HEADER = 5
"""Bytes of a packet's length and padding length."""
_KEXINIT = 20
_COOKIE = 16
_WEAK = ("cbc", "sha1", "md5", "3des", "arcfour", "blowfish", "ssh-dss", "ssh-rsa")


@dataclass(frozen=True, slots=True)
class SshOffer:
    """Algorithm names as the server lists them; ciphers and MACs of both directions together."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]

    def weak(self) -> tuple[str, ...]:
        """Those that rest on SHA-1, MD5, CBC or older ciphers, or on nothing at all."""
        names = dict.fromkeys((*self.kex, *self.host_keys, *self.ciphers, *self.macs))
        return tuple(name for name in names if name == "none" or any(word in name for word in _WEAK))


def packet_length(header: bytes) -> int:
    """How many bytes follow the first five of a packet that is not encrypted."""
    length = int.from_bytes(header[:4], "big")
    if not HEADER < length <= PACKET_LIMIT:
        raise MalformedError("ssh-packet", "an SSH packet's length is impossible")
    return length - 1


def parse_offer(header: bytes, rest: bytes) -> SshOffer:
    """The offer in a server's first packet. MalformedError `ssh-packet` if that is not a KEXINIT."""
    payload = rest[: len(rest) - header[4]] if len(header) == HEADER else b""
    if len(payload) < 1 + _COOKIE or payload[0] != _KEXINIT:
        raise MalformedError("ssh-packet", "an SSH server begins with its KEXINIT")
    lists, at = [], 1 + _COOKIE
    for _ in range(6):
        end = at + 4 + int.from_bytes(payload[at : at + 4], "big")
        if at + 4 > len(payload) or end > len(payload):
            raise MalformedError("ssh-packet", "a KEXINIT ends within a list of names")
        try:
            text = payload[at + 4 : end].decode("ascii")
        except UnicodeDecodeError:
            raise MalformedError("ssh-packet", "names of algorithms are ASCII") from None
        lists.append(tuple(text.split(",")) if text else ())
        at = end
    kex, host_keys, ciphers, ciphers_back, macs, macs_back = lists
    return SshOffer(
        kex, host_keys, tuple(dict.fromkeys(ciphers + ciphers_back)), tuple(dict.fromkeys(macs + macs_back))
    )
