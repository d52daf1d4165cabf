import hashlib

from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.positions import Accept, Conflict, Duplicate, Position, Positions, Source
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, Stream

SOURCE = Source(EnvironmentName("acme/main"), Stream.APP, "s", "f")
STEP = st.tuples(st.integers(1, 100), st.booleans(), st.booleans())


@given(st.binary(min_size=1, max_size=100), st.lists(STEP, max_size=20))
def test_whatever_is_lost_or_repeated_each_byte_is_taken_once_and_in_order(
    file: bytes, steps: list[tuple[int, bool, bool]]
) -> None:
    """A sender that cuts as it likes and loses answers, against a node that replays its journal."""
    node, took, sender = Positions(), b"", 0
    for length, replayed, heard in [*steps, (100, False, True), (100, False, True)]:
        chunk = file[sender : sender + length]
        if not chunk:
            continue
        digest = hashlib.sha256(chunk).digest()
        match node.judge(SOURCE, sender, len(chunk), digest):
            case Accept():
                node.move(SOURCE, Position(sender, len(chunk), digest, Instant(0)))
                took += chunk
                answer = sender + len(chunk)
            case Duplicate(position) | Conflict(position):
                answer = position.end
        if replayed:
            node = Positions.decode(node.encode())
        if heard:
            sender = answer
    assert took == file
