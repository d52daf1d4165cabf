"""The recogniser is closed under encryption: a minimised line has the same addresses in the same places."""

import ipaddress

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules import pseudonyms
from holdfast.rules.addresses import recognise
from holdfast.rules.guard import _splice

KEY = bytes(range(32))
four = st.integers(0, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number)))
groups = st.lists(st.sampled_from(["0", "1", "a", "ff", "02", "dead", "FFFF", ""]), min_size=1, max_size=10).map(
    ":".join
)
six = st.integers(0, 2**128 - 1).map(lambda number: str(ipaddress.IPv6Address(number)))
glue = st.text('0123456789abcdefgxz:./_-% []"\\=,F', max_size=6)
agent = st.tuples(glue, four, six, glue).map(
    lambda t: (
        f'1.2.3.4 - - [20/Nov/2026:00:00:00 +0000] "G{t[0]}" 200 66 "{t[2]}" "M/{t[1]} C/1.2.3.4 {t[2]}/{t[1]} {t[3]}"'
    )
)
part = st.one_of(four, six, groups, glue, st.sampled_from(["::ffff:", "::", ":", ".", "src:", "/", "x/"]))
line = st.one_of(st.lists(part, max_size=6).map("".join), agent).map(str.encode)


def shape(rows: list[bytes]) -> tuple[pl.Series, list[tuple[int, int, bool]], np.ndarray]:
    buffer, offsets = b"".join(rows), np.cumsum([0] + [len(row) for row in rows])
    spans = recognise(buffer, offsets)
    if not len(spans):
        return pl.Series(rows, dtype=pl.Binary), [], spans.addresses
    new = pseudonyms.encrypt(KEY, spans.addresses)
    texts = pseudonyms.texts(new, spans.dotted)
    lengths = np.array([len(text) for text in texts.to_pylist()])
    spliced = _splice(buffer, offsets, spans, texts, np.arange(len(spans)), lengths)
    grown = np.concatenate(([0], np.cumsum(lengths - (spans.ends - spans.starts))))
    moved = spans.starts + grown[:-1]
    expected = list(zip(moved.tolist(), (moved + lengths).tolist(), spans.dotted.tolist(), strict=True))
    return spliced, expected, new


@given(st.lists(line, min_size=1, max_size=4))
def test_encryption_moves_no_span(rows: list[bytes]) -> None:
    spliced, expected, addresses = shape(rows)
    buffer, offsets = b"".join(spliced), np.cumsum([0] + [len(row) for row in spliced])
    again = recognise(buffer, offsets)
    assert list(zip(again.starts.tolist(), again.ends.tolist(), again.dotted.tolist(), strict=True)) == expected
    assert again.addresses.tobytes() == addresses.tobytes()


@given(
    st.one_of(six, groups), st.sampled_from([" ", "[", "(", "="]), st.sampled_from([" ", "]", "%e", "/64", ", ", ""])
)
def test_standing_alone_a_text_is_an_address_exactly_if_it_is_one(text: str, before: str, after: str) -> None:
    data = (before + text + after).encode()
    found = recognise(data, np.array([0, len(data)]))
    try:
        value = ipaddress.IPv6Address(text)
    except ValueError:
        return
    if int(value):
        assert found.addresses.tobytes() == value.packed
        assert data[found.starts[0] : found.ends[0]].decode() == text
