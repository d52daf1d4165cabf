"""Bytes of a connection become frames; nothing is lost, whatever a sender says about lengths."""

import sys

import pytest
from tests.support.framing import frames

from holdfast.formats.syslog.framing import Framer

HEADER = b"<13>1 2026-11-20T00:00:00Z host app 1 - - "


def test_lf_frames_lose_their_line_end_and_empty_ones_are_skipped() -> None:
    assert frames(b"<1>a\n<2>b\r\n\n\r\n<3>c\r\r\n<4>d\x00\n<5>e") == [
        b"<1>a",
        b"<2>b",
        b"<3>c\r",
        b"<4>d\x00",
        b"<5>e",
    ]


def test_a_line_end_that_is_counted_in_is_a_line_end_and_one_within_is_not() -> None:
    assert frames(b"6 <1>aa\n8 <2>b\nb\r\n6 <3>cc\n") == [b"<1>aa", b"<2>b\nb", b"<3>cc"]
    assert frames(b"6 <1>a", b"a", b"\n") == [b"<1>aa"]
    assert frames(b"9 <1>aa\n") == [b"<1>aa"]


def test_both_framings_are_told_apart_at_every_frame() -> None:
    assert frames(b"5 <1>aa5 <2>bb<3>lf\n6 <4>c\nd\n2026 no count\n") == [
        b"<1>aa",
        b"<2>bb",
        b"<3>lf",
        b"<4>c\nd",
        b"2026 no count",
    ]


def test_frames_do_not_depend_on_how_bytes_arrive() -> None:
    data = b"5 <1>aa<2>bb\n12 <3>x\ny <4>zz7 <5>\n\n\n\n<6>x\r\n"
    assert frames(data) == frames(*[bytes([byte]) for byte in data])


@pytest.mark.parametrize("count", [b"5 ", b"9 ", b"19 ", b"400 ", b"100000 ", b"999999999 "])
def test_a_count_that_lies_is_not_believed(count: bytes) -> None:
    assert frames(count + b"<1>the first\n<2>second\nthird\n", max_frame=2048) == [
        b"<1>the first",
        b"<2>second",
        b"third",
    ]


def test_a_half_frame_is_delivered_at_the_end() -> None:
    assert frames(b"50 <1>cut off") == [b"<1>cut off"]
    assert frames(b"12 ") == [b"12 "]


@pytest.mark.parametrize("counted", [True, False])
def test_a_frame_too_long_is_cut_into_pieces_of_the_same_sender(counted: bool) -> None:
    body = b"10.20.30.40 and so on, " * 1000
    data = b"%d " % len(HEADER + body) + HEADER + body if counted else HEADER + body + b"\n"
    pieces = frames(data + b"<1>next\n", max_frame=2048)
    assert pieces.pop() == b"<1>next"
    assert all(piece.startswith(HEADER) and len(piece) <= 2048 + len(HEADER) for piece in pieces)
    assert b"".join(piece.removeprefix(HEADER) for piece in pieces) == body
    assert all(piece.removeprefix(HEADER).count(b"10.20.30.40") * 3 == piece.count(b".") for piece in pieces)


def test_pieces_of_a_line_with_structured_data_have_none() -> None:
    first, second = frames(HEADER[:-2] + b'[a b="c"] ' + b"x" * 3000 + b"\n", max_frame=2048)
    assert first.startswith(HEADER[:-2] + b"[a b=")
    assert second.startswith(HEADER + b"xxx")


def test_an_endless_frame_costs_bounded_memory() -> None:
    framer = Framer(4096)
    for _ in range(200):
        framer.receive(b"x" * 4000)
        framer.take()
        assert framer._size <= 8192


def test_a_silent_connection_costs_a_few_hundred_bytes() -> None:
    framer = Framer()
    assert framer.take() is None
    assert sys.getsizeof(framer) < 200
