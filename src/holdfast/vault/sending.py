"""Taking log files to a node: read, send, keep the promise, move on.

Order, for each chunk: the file's identity is in the state, durably → the chunk is sent, and sent again unchanged until
it is answered → the promise is kept, durably → the position moves, durably. A crash before the answer, or between the
last two, leaves a position behind the node's; at the next start the node says where it stands and what its last chunk
was, and if those bytes are the file's, its promise is kept and the position moves there. So lines are neither lost nor
doubled, whichever side is killed, as long as the state folder and the node's journal are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from holdfast.formats.promises import SignedPromise
from holdfast.kernel.errors import BusyError, ConflictError

_TURN = 16
"""Chunks of one file before the next file's turn."""
_IDLE_SECONDS = 0.25

_Answer = TypeVar("_Answer")


class Stopped(Exception):
    """The operator asked to stop; everything answered is kept."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file, from `offset` on. `final`: the last one has no line end and is to be taken as it is."""

    offset: int
    data: bytes
    final: bool

    @property
    def end(self) -> int:
        """Where the next piece begins."""
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a node stands with a file: the offset it expects (None: it does not know the file), and its last chunk."""

    expected: int | None
    offset: int = 0
    digest: bytes = b""
    promise: SignedPromise | None = None


@dataclass(frozen=True, slots=True)
class FileMark:
    """What is remembered of a file: device and inode, its generation and identity, and how far it was taken.

    `head` and `tail` are SHA-256 of the first bytes and of the last ones taken (at most 256 each, hexadecimal), to tell
    whether the file still is the same; `path` is where it was found, `finished` that it was read to its end.
    """

    path: str
    device: int
    inode: int
    generation: int
    id: str = ""
    position: int = 0
    head_length: int = 0
    head: str = ""
    tail_length: int = 0
    tail: str = ""
    finished: bool = False


class Reading(Protocol):
    """One generation of one file being read."""

    @property
    def name(self) -> str:
        """Its base name."""

    @property
    def file_id(self) -> str:
        """Its identity, known once `piece` gave one: 32 hexadecimal digits."""

    @property
    def position(self) -> int:
        """Up to where it was answered."""

    @property
    def restored(self) -> bool:
        """Whether it goes on from a position that an earlier run left."""

    def mark(self) -> FileMark:
        """Where it stands, to be remembered."""

    def piece(self) -> Piece | None:
        """The next whole lines, or None if there are none now. A file that was truncated begins its next generation."""

    def holds(self, offset: int, length: int, digest: bytes) -> bytes | None:
        """The bytes there, if they have that SHA-256."""

    def move(self, end: int, last: bytes) -> None:
        """What lies before `end` was answered; `last` are the bytes that end there."""

    def renew(self) -> None:
        """The file is not what it was: begin its next generation from its first byte."""


class LogFile(Protocol):
    """A path given to be sent."""

    def current(self) -> Reading | None:
        """The file behind it whose turn it is (after a rotation the older one first), or None while there is none."""


class Node(Protocol):
    """A node's HTTP intake. BusyError if it cannot be had now; asking again is then safe."""

    def send(self, name: str, file_id: str, piece: Piece) -> SignedPromise | Standing:
        """The promise for the piece, or where the node stands if this is not its next one."""

    def standing(self, file_id: str) -> Standing:
        """Where the node stands with a file."""


class State(Protocol):
    """What outlives this process."""

    def keep(self, mark: FileMark, piece: Piece, promise: SignedPromise) -> None:
        """Write the promise down, durably, with what it is for."""

    def save(self, mark: FileMark) -> None:
        """Write the mark down, durably, in the place of the file's last one."""


class Waiting(Protocol):
    """Time passing. Both raise Stopped when asked to stop."""

    def pause(self, attempt: int, error: BusyError) -> None:
        """Back off before asking again, longer with each attempt. May raise the error itself once patience ends."""

    def idle(self, seconds: float) -> None:
        """Wait for something to happen; with 0, only notice that a stop was asked for."""


class Report(Protocol):
    """What the person watching is told."""

    def taken(self, reading: Reading, piece: Piece, promise: SignedPromise) -> None:
        """A piece was answered with a promise."""

    def notice(self, code: str, message: str, name: str) -> None:
        """Something out of the ordinary, about a file."""


class Sending:
    """Sends files to a node, one chunk at a time."""

    def __init__(self, node: Node, state: State, waiting: Waiting, report: Report) -> None:
        self._node = node
        self._state = state
        self._waiting = waiting
        self._report = report
        self._met: set[str] = set()

    def run(self, files: Sequence[LogFile], *, follow: bool) -> None:
        """Send what there is; with `follow`, go on until stopped (raises Stopped). Errors other than busy end it."""
        while True:
            moved = [self._turn(file) for file in files]
            if any(moved):
                continue
            if not follow:
                return
            self._waiting.idle(_IDLE_SECONDS)

    def _turn(self, file: LogFile) -> bool:
        reading = file.current()
        if reading is None:
            return False
        for sent in range(_TURN):
            self._waiting.idle(0)
            piece = reading.piece()
            if piece is None:
                return sent > 0
            if self._settled(reading):
                self._send(reading, piece)
        return True

    def _settled(self, reading: Reading) -> bool:
        """Whether the piece read still is the next one, after the first meeting of this file and the node."""
        if reading.file_id in self._met:
            return True
        if not reading.restored:
            self._state.save(reading.mark())
            self._met.add(reading.file_id)
            return True
        file_id = reading.file_id
        standing = self._ask(lambda: self._node.standing(file_id))
        self._met.add(file_id)
        return not self._settle(reading, standing)

    def _send(self, reading: Reading, piece: Piece) -> None:
        answer = self._ask(lambda: self._node.send(reading.name, reading.file_id, piece))
        if isinstance(answer, Standing):
            if not self._settle(reading, answer):
                raise ConflictError("node-disagrees", "the node refuses the very chunk that it asks for")
            return
        self._moved(reading, piece, answer)

    def _moved(self, reading: Reading, piece: Piece, promise: SignedPromise) -> None:
        self._state.keep(reading.mark(), piece, promise)
        reading.move(piece.end, piece.data)
        self._state.save(reading.mark())
        self._report.taken(reading, piece, promise)

    def _settle(self, reading: Reading, standing: Standing) -> bool:
        """Go on where the node stands. Whether that is elsewhere than where the reading stood."""
        expected = standing.expected
        if expected is None or expected == reading.position:
            return False
        data = reading.holds(standing.offset, expected - standing.offset, standing.digest)
        if data is None or standing.promise is None:
            # The node took bytes from this place that the file no longer has: it was rewritten since.
            self._report.notice("rewritten", "not what the node took any more; sent from the beginning", reading.name)
            reading.renew()
            return True
        if expected > reading.position:
            self._moved(reading, Piece(standing.offset, data, False), standing.promise)
            return True
        self._report.notice(
            "node-behind", "the node does not know lines that it promised to keep; sent again", reading.name
        )
        reading.move(expected, data)
        self._state.save(reading.mark())
        return True

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        attempt = 0
        while True:
            try:
                return question()
            except BusyError as error:
                self._waiting.pause(attempt, error)
                attempt += 1
