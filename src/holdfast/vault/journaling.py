"""The writing side of a node's journal: state, frames, rotation.

Promises: a flush is in the journal, whole and durable, or not at all. What a node knows (the next number and last
leaf of every stream, every sender's position) is a pure function of the newest file: its first frame holds the state
as it was, each later frame says what it adds. So a restart reads one file.

Order at rotation: new file with the state frame (durable) → flushes go there → the old file may be sealed. A crash in
between leaves a newest file with a state frame and nothing else, or a torn one, which recovery removes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats import canonical
from holdfast.formats.batches import SALT, SECRET
from holdfast.formats.frames import NONCE, STATE, BatchBody, Sealable, encode_frame
from holdfast.formats.positions import Positions
from holdfast.formats.spelling import decimal
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Day, Instant, day_of
from holdfast.kernel.keys import DataKey, KeyKind, KeyRequest
from holdfast.kernel.names import UNCLAIMED, EnvironmentName, KeyId, Stream, environment_name
from holdfast.vault.ports import JournalStore, KeySource, Randomness

EPOCH = Instant(0)
StreamKey = tuple[EnvironmentName, Stream]


@dataclass(slots=True)
class StreamHead:
    """Where a stream stands on this node: the number its next line gets, and its last batch entry's leaf hash."""

    next: int = 0
    previous: bytes = b""


@dataclass(slots=True)
class NodeState:
    """What the journal says when read to its end."""

    next_flush: int = 0
    last: Instant = field(default=EPOCH)
    """The newest time given to a flush: arrivals never go back, so a day once left is never written again."""
    heads: dict[StreamKey, StreamHead] = field(default_factory=dict)
    positions: Positions = field(default_factory=Positions)

    def encode(self) -> bytes:
        """Canonical JSON."""
        return canonical.dump(
            {
                "v": 1,
                "flush": str(self.next_flush),
                "last": str(self.last),
                "heads": [
                    {"environment": e, "stream": s.value, "next": str(head.next), "previous": head.previous.hex()}
                    for (e, s), head in sorted(self.heads.items())
                ],
            }
        )


def parse_state(data: bytes, positions: bytes) -> NodeState:
    """The state of a state frame. MalformedError otherwise."""
    value = canonical.load_object(data)
    try:
        heads = value["heads"]
        if not isinstance(heads, list):
            raise TypeError
        return NodeState(
            decimal(str(value["flush"])),
            Instant(decimal(str(value["last"]))),
            {
                (environment_name(head["environment"]), Stream(head["stream"])): StreamHead(
                    decimal(str(head["next"])), bytes.fromhex(head["previous"])
                )
                for head in heads
            },
            Positions.decode(positions),
        )
    except (KeyError, TypeError, ValueError, MalformedError):
        raise MalformedError("journal-state", "the state frame of a journal file does not read") from None


@dataclass(frozen=True, slots=True)
class LiveKey:
    """A journal key in use: its id and a cipher made once."""

    id: KeyId
    cipher: AESGCM


class Journal:
    """The newest journal file and the keys its batches are encrypted under. One thread at a time."""

    def __init__(
        self,
        store: JournalStore,
        keys: KeySource,
        randomness: Randomness,
        context: bytes,
        state: NodeState,
    ) -> None:
        self._store = store
        self._keys = keys
        self._randomness = randomness
        self._context = context
        self.state = state
        self.number = -1
        self.size = 0
        self.opened: Instant = Instant(0)
        self.day: Day | None = None
        self.empty = True
        self._live: dict[tuple[EnvironmentName, Stream, Day], LiveKey] = {}
        self._state_key: DataKey | None = None  # made for a file that could not be

    def adopt(self, number: int, size: int, opened: Instant, empty: bool, keys: Mapping[KeyId, DataKey]) -> None:
        """Go on with a file that recovery has read."""
        self.number, self.size, self.opened, self.empty = number, size, opened, empty
        self.day = day_of(opened)
        for data_key in keys.values():
            if data_key.kind == KeyKind.JOURNAL and data_key.stream is not None:
                self._live[data_key.environment, data_key.stream, data_key.day] = _live(data_key)

    @property
    def streams(self) -> int:
        """How many streams the file has lines of, each under a key of its own."""
        return len(self._live)

    def rotate(self, now: Instant) -> None:
        """Begin a new file with the state as it is. The old one, if any, is closed and may be sealed."""
        state_key = self._state_key
        if state_key is None or state_key.day != day_of(now):
            [state_key] = self._keys.make_keys([KeyRequest(KeyKind.STATE, UNCLAIMED, Stream.SYSTEM, day_of(now))])
            self._state_key = state_key
        body = BatchBody(
            self.state.encode(), bytes(SALT), bytes(SECRET), self.state.positions.encode(), np.zeros(0, np.int64), b""
        )
        entry = Sealable(
            key=state_key.id,
            cipher=AESGCM(state_key.key.reveal()),
            leaf=bytes(32),
            nonce=self._randomness.bytes(NONCE),
            flags=STATE,
            first=0,
            count=0,
            text_bytes=0,
            clear_bytes=0,
            arrival=now,
            plaintext=body.encode(),
        )
        frame = encode_frame(self._context, self.state.next_flush, now, [entry])
        self._store.create(self.number + 1, frame)
        self._state_key = None
        self.number += 1
        self.size, self.opened, self.day, self.empty = sum(map(len, frame)), now, day_of(now), True
        self._live = {}

    def live_keys(self, streams: Sequence[StreamKey], day: Day) -> Callable[[StreamKey], LiveKey]:
        """The journal keys of these streams for a day, made where this file has none yet (one request for all)."""
        wanted = [stream for stream in streams if (*stream, day) not in self._live]
        if wanted:
            requests = [KeyRequest(KeyKind.JOURNAL, environment, stream, day) for environment, stream in wanted]
            for (environment, stream), data_key in zip(wanted, self._keys.make_keys(requests), strict=True):
                self._live[environment, stream, day] = _live(data_key)
        return lambda stream: self._live[(*stream, day)]

    def write(self, now: Instant, entries: Sequence[Sealable]) -> None:
        """One flush: one frame, one fsync. The state is advanced by the caller once this returns."""
        frame = encode_frame(self._context, self.state.next_flush, now, entries)
        self._store.append(self.number, frame)
        self.size += sum(map(len, frame))
        self.empty = False


def _live(data_key: DataKey) -> LiveKey:
    return LiveKey(data_key.id, AESGCM(data_key.key.reveal()))
