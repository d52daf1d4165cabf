import hashlib

from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.positions import Accept, Conflict, Duplicate, Position, Positions, Source
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, Stream

SOURCE = Source(EnvironmentName("acme/main"), Stream.APP, "s", "f")


@given(st.binary(min_size=1, max_size=200), st.data())
def test_whatever_is_lost_or_repeated_each_byte_is_taken_once_and_in_order(file: bytes, data: st.DataObject) -> None:
    """A sender that loses answers, and its own position, in any order, against a node that replays its journal."""
    node, took, sender = Positions(), b"", 0
    while len(took) < len(file):
        length = data.draw(st.integers(1, max(1, len(file) - sender)))
        chunk = file[sender : sender + length]
        digest = hashlib.sha256(chunk).digest()
        if not chunk:
            break
        match node.judge(SOURCE, sender, len(chunk), digest):
            case Accept():
                node.move(SOURCE, Position(sender, len(chunk), digest, Instant(0)))
                took += chunk
                answer = sender + len(chunk)
            case Duplicate(position) | Conflict(position):
                answer = position.end
        if data.draw(st.booleans()):
            node = Positions.decode(node.encode())
        if data.draw(st.booleans()):
            sender = answer
    assert took == file
