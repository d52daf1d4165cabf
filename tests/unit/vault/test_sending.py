import hashlib
from dataclasses import dataclass, field, replace

import pytest
from tests.support.fakenode import ENVIRONMENT, SIGNER

from holdfast.formats.promises import Promise, SignedPromise
from holdfast.kernel.errors import BusyError, ConflictError, RefusedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import NodeName, Stream
from holdfast.vault.sending import FileMark, Piece, Reading, Sending, Standing

PROMISE = SIGNER.sign(Promise(ENVIRONMENT, Stream.APP, NodeName("n1"), 0, 1, bytes(32), Instant(0)))


@dataclass
class World:
    """A file of two-byte lines, a node, a state: every effect is written down in the order in which it happens."""

    data: bytes = b"1\n2\n3\n"
    at: FileMark = field(default_factory=lambda: FileMark("/a.log", 1, 2, 0))
    restored: bool = False
    took: bytes = b""
    last: Standing = field(default_factory=lambda: Standing(None))
    failures: list[Exception] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)

    name = "a.log"

    @property
    def file_id(self) -> str:
        return self.at.id

    @property
    def position(self) -> int:
        return self.at.position

    def mark(self) -> FileMark:
        return self.at

    def current(self) -> Reading:
        return self

    def piece(self) -> Piece | None:
        self.at = replace(self.at, id=f"id{self.at.generation}")
        data = self.data[self.position : self.position + 2]
        return Piece(self.position, data, False) if data else None

    def holds(self, offset: int, length: int, digest: bytes) -> bytes | None:
        data = self.data[offset : offset + length]
        return data if hashlib.sha256(data).digest() == digest else None

    def move(self, end: int, last: bytes) -> None:
        self.at = replace(self.at, position=end)

    def renew(self) -> None:
        self.at, self.restored = FileMark("/a.log", 1, 2, self.at.generation + 1), False

    def send(self, name: str, file_id: str, piece: Piece) -> SignedPromise | Standing:
        self.effects.append(f"send {piece.offset}")
        if self.failures:
            raise self.failures.pop(0)
        if self.last.expected not in (None, piece.offset):
            return self.last
        self.took += piece.data
        self.last = Standing(piece.end, piece.offset, hashlib.sha256(piece.data).digest(), PROMISE)
        return PROMISE

    def standing(self, file_id: str) -> Standing:
        self.effects.append("ask")
        return self.last

    def keep(self, mark: FileMark, piece: Piece, promise: SignedPromise) -> None:
        self.effects.append(f"keep {piece.offset}")

    def save(self, mark: FileMark) -> None:
        self.effects.append(f"save {mark.position}")

    def pause(self, attempt: int, error: BusyError) -> None:
        self.effects.append(f"pause {attempt}")

    def idle(self, seconds: float) -> None:
        pass

    def taken(self, reading: Reading, piece: Piece, promise: SignedPromise) -> None:
        pass

    def notice(self, code: str, message: str, name: str) -> None:
        self.effects.append(code)

    def run(self) -> list[str]:
        Sending(self, self, self, self).run([self], follow=False)
        return self.effects


def standing(data: bytes, offset: int, length: int) -> Standing:
    return Standing(offset + length, offset, hashlib.sha256(data[offset : offset + length]).digest(), PROMISE)


def test_identity_first_then_each_promise_is_kept_before_the_position_moves() -> None:
    world = World(data=b"1\n2\n")
    assert world.run() == ["save 0", "send 0", "keep 0", "save 2", "send 2", "keep 2", "save 4"]


def test_a_busy_node_is_asked_again_with_the_same_bytes_ever_more_slowly() -> None:
    world = World(data=b"1\n", failures=[BusyError("not-now", "x"), BusyError("not-now", "x")])
    assert world.run() == ["save 0", "send 0", "pause 0", "send 0", "pause 1", "send 0", "keep 0", "save 2"]


def test_a_refusal_ends_it_and_nothing_moves() -> None:
    world = World(failures=[RefusedError("token", "x")])
    with pytest.raises(RefusedError):
        world.run()
    assert world.effects == ["save 0", "send 0"]


def test_a_chunk_whose_answer_was_lost_in_a_crash_is_not_sent_again_and_its_promise_is_kept() -> None:
    world = World(at=FileMark("/a.log", 1, 2, 0, "id0", 0), restored=True, last=standing(b"1\n2\n3\n", 0, 4))
    assert world.run() == ["ask", "keep 0", "save 4", "send 4", "keep 4", "save 6"]
    assert world.took == b"3\n"


def test_a_file_rewritten_since_the_node_took_it_is_sent_from_its_beginning_as_another() -> None:
    world = World(at=FileMark("/a.log", 1, 2, 0, "id0", 2), restored=True, last=standing(b"1\nX\n", 2, 2))
    world.last = replace(world.last, expected=4)
    effects = []

    def renew() -> None:
        effects.append("renew")
        World.renew(world)
        world.last = Standing(None)  # the node does not know the new identity

    world.renew = renew  # type: ignore[method-assign]
    assert world.run()[:4] == ["ask", "rewritten", "save 0", "send 0"]
    assert effects == ["renew"]
    assert world.took == world.data


def test_lines_that_the_node_lost_are_sent_again_and_that_is_said() -> None:
    world = World(at=FileMark("/a.log", 1, 2, 0, "id0", 4), restored=True, last=standing(b"1\n2\n3\n", 0, 2))
    assert world.run()[:3] == ["ask", "node-behind", "save 2"]
    assert world.took == b"2\n3\n"


def test_a_node_that_refuses_the_chunk_it_asks_for_is_not_asked_for_ever() -> None:
    class Mad(World):
        def send(self, name: str, file_id: str, piece: Piece) -> SignedPromise | Standing:
            return Standing(piece.offset)

    with pytest.raises(ConflictError, match="node-disagrees"):
        Mad().run()
