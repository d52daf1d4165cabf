"""Framing loses nothing and does not depend on how the bytes were cut on their way."""

from hypothesis import given
from hypothesis import strategies as st
from tests.support.framing import frames

from holdfast.formats.syslog.framing import Framer
from holdfast.formats.syslog.parsing import parse

piece = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"\n", b"\r\n", b"<1>", b"5 <1>ab", b"12 <3>", b"300 <1>x", b"4000 <2>", b"<13>1 - h p - - - ", b"7 "]
    ),
)


@given(st.lists(piece, max_size=30))
def test_every_byte_but_framing_is_delivered_in_order(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    rest = data
    for frame in frames(*pieces):
        before, found, rest = rest.partition(frame)
        assert found == frame
        assert not before.strip(b"\r\n0123456789 ")
    assert not rest.strip(b"\r\n0123456789 ")


@given(st.lists(piece, max_size=20), st.integers(1, 50))
def test_any_bytes_are_framed_and_parsed(pieces: list[bytes], size: int) -> None:
    data = b"".join(pieces)
    framer = Framer(256)
    for start in range(0, len(data), size):
        framer.receive(data[start : start + size])
        lines = framer.take()
        if lines is not None:
            assert len(parse(lines, 0)) == len(lines)
            assert all(0 < len(line) <= 256 + 1024 for line in lines.tolist())
    assert framer._size <= 512 + size
