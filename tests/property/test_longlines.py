from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.lines import split
from holdfast.formats.longlines import cut


@given(st.lists(st.text(alphabet="aé漢😀 ", max_size=40)), st.integers(4, 12))
def test_cutting_loses_no_byte_keeps_characters_whole_and_every_line_short(texts: list[str], limit: int) -> None:
    lines = split("".join(text + "\n" for text in texts).encode())
    pieces = cut(lines, limit).tolist()
    assert b"".join(pieces) == b"".join(lines.tolist())
    assert all(len(piece) <= limit for piece in pieces)
    for piece in pieces:
        piece.decode()
    if all(len(text.encode()) <= limit for text in texts):
        assert pieces == lines.tolist()


@given(st.binary(max_size=60), st.integers(4, 9))
def test_bytes_that_are_no_text_are_cut_too(data: bytes, limit: int) -> None:
    lines = split(data)
    pieces = cut(lines, limit).tolist()
    assert b"".join(pieces) == b"".join(lines.tolist())
    assert all(len(piece) <= limit for piece in pieces)
