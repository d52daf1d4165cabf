"""Which bytes of a line are an IP address: the recogniser. Pure; a whole column of lines at a time (see docs/guard.md).

A *word byte* is an ASCII letter, digit or `_`; a *sentence dot* is a `.` that no word byte follows.

IPv4: four decimal octets (0 to 255, no leading zeros) joined by dots. Before them no word byte and no dot; after them
no word byte, and no dot but a sentence dot. So `1.2.3.4:80`, `http://1.2.3.4/`, `[1.2.3.4]`, `rhost=1.2.3.4` and `to
1.2.3.4.` hold one; `1.2.3.4.5`, `v1.2.3.4`, `1.2.3.400`, `1.2.3.04` and `1.2.3.4.example.com` do not. In the user
agent of a combined access line a dotted quad after a letter and a slash (`Chrome/107.0.0.0`) is a product's version
and stays.

IPv6 (ipv6.py has the details): RFC 4291 texts, `::` alone excepted; clock times, MAC addresses and port numbers after a
bracket are none. In `::ffff:1.2.3.4` the IPv4 address is recognised, and what is before it stays.

**Closed.** The recogniser finds the same spans in a line after each span was replaced by the text of any address of
its family as `rules.pseudonyms.texts` writes it. That is because it only ever asks a span for its family, and
everything else of bytes outside all spans: the bytes next to a span are no word bytes and no hexadecimal digits; what
follows a sentence dot cannot begin a span (an IPv6 span after a dot is refused); the user agent is found by quotes,
blanks, digits and brackets that no address holds; a letter that belongs to a span makes no product. One exception of
probability 2⁻¹²⁸: an address whose pseudonym is `::`.
"""

import numpy as np

from holdfast.formats import weblogs
from holdfast.formats.scanning import Mask, Offsets, view
from holdfast.rules import ipv4, ipv6
from holdfast.rules.spans import Spans, Text, merge


def recognise(buffer: bytes, offsets: Offsets) -> Spans:
    """The addresses in rows laid end to end (`offsets`: n + 1 ascending, from 0 to the buffer's length)."""
    text = Text(buffer, view(buffer), offsets)
    four = ipv4.quads(text)
    six, part_of_six = ipv6.sixes(text, four)
    kept = four.take(~(part_of_six | _versions(text, four, six)))
    return merge(kept, six) if len(six) else kept


def _versions(text: Text, found: Spans, six: Spans) -> Mask:
    """Which quads are a product's version: after a letter and a slash, in the user agent of a combined access line."""
    slashed = np.flatnonzero(text.byte(found.starts - 1, found.rows) == 0x2F)
    letter = text.byte(found.starts[slashed] - 2, found.rows[slashed]) | np.uint8(0x20)
    product = (letter >= 0x61) & (letter <= 0x7A) & ~np.isin(found.starts[slashed] - 1, six.ends)
    maybe = slashed[product]
    result = np.zeros(len(found), np.bool_)
    if len(maybe):
        starts, ends = weblogs.user_agents(text.data, text.offsets, found.rows[maybe])
        result[maybe] = (found.starts[maybe] > starts) & (found.ends[maybe] <= ends)
    return result
