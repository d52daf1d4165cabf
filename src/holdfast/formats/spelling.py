"""Text ⇄ values with exactly one spelling: canonical base64 (RFC 4648 section 4) and decimal numbers.

Python reads more than one spelling of each (`int("1_0")`, `b64decode` with stray bits); a signature or a proof that can
be respelled is two proofs of one thing, so these refuse all but the one.
"""

import base64
import binascii
import re

from holdfast.kernel.errors import MalformedError

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)


def encode64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def decode64(text: str, length: int | None = None) -> bytes:
    """The bytes of canonical base64, of that length if one is given. MalformedError otherwise."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise MalformedError("base64", "not base64 (RFC 4648 section 4, with padding)") from None
    if base64.b64encode(data).decode() != text:
        raise MalformedError("base64", "base64 that is not canonical")
    if length is not None and len(data) != length:
        raise MalformedError("base64-length", "base64 of the wrong length", expected=length, length=len(data))
    return data


def decimal(text: str) -> int:
    """The number of an ASCII decimal without sign, spaces or leading zeros, under 2^63. MalformedError otherwise."""
    if _DECIMAL.match(text):
        value = int(text)
        if value < 1 << 63:
            return value
    raise MalformedError("decimal", "not a plain decimal number under 2^63")
