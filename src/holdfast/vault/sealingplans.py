"""What sealing will do, decided from the heads of closed journal files and from which of their keys still open.

Every frame is held against its SHA-256 here, for a ledger is made from it that outlives the file. Nothing is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.formats.batches import HASH, SALT
from holdfast.formats.frames import DIRECTORY, STATE, Directory, FrameHead
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import Day
from holdfast.kernel.keys import DataKey, KeyKind
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, Stream
from holdfast.vault.journalreading import JournalFile, journal_name
from holdfast.vault.ports import JournalStore, KeySource

_FOUND = np.dtype([("root", f"V{HASH}"), ("previous", f"V{HASH}"), ("salt", f"V{SALT}"), ("follows", "?")])
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that goes into one segment (a single batch may be larger), and into one transaction of the keeper (a
    single journal file may hold more)."""

    lines: int = 4_000_000
    journal_bytes: int = 1 << 30
    batches: int = 50_000
    segments: int = 10_000
    keys: int = 20_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A segment to be: batches of one stream and day that follow each other. `rows` index the plan's entries."""

    environment: EnvironmentName
    stream: Stream
    day: Day
    first: int
    lines: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class FlushFrame:
    """A flush in a journal file; its entries are rows `base` onwards of the plan."""

    number: int
    head: FrameHead
    base: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What the journal files hold and what is to be made of it.

    `frame_of` is the frame of every entry. `found` is filled in while segments are written: root, previous and salt of
    every batch, for the ledger. `data_keys` go by the 16 bytes of a key id, as entries have it; `keys` are all of them,
    to be destroyed. Files in `numbers` are to be sealed; the others that were given were sealed before.
    """

    node: NodeName
    frames: Sequence[FlushFrame]
    entries: Directory
    frame_of: Rows
    found: npt.NDArray[np.void]
    data_keys: Mapping[bytes, DataKey]
    keys: Sequence[KeyId]
    segments: Sequence[PlannedSegment]
    numbers: Sequence[int]

    @property
    def lines(self) -> int:
        """Lines to be sealed."""
        return sum(segment.lines for segment in self.segments)

    def key_of(self, row: int) -> DataKey:
        """The journal key of an entry."""
        return self.data_keys[bytes(self.entries["key"][row])]

    def flushes(self, number: int) -> Sequence[FlushFrame]:
        """The flushes of one file, in order."""
        return [frame for frame in self.frames if frame.number == number]


def plan(journal: JournalStore, numbers: Sequence[int], keys: KeySource, node: NodeName, limits: Limits) -> Plan:
    """The plan for these files. VerificationError if a file is damaged, a stream has a gap or a key is missing."""
    frames: list[FlushFrame] = []
    parts: list[Directory] = [np.zeros(0, DIRECTORY)]
    used: dict[int, set[bytes]] = {number: set() for number in numbers}
    states: set[bytes] = set()
    base = 0
    for number in numbers:
        with journal.open(number) as source:
            for head in JournalFile(source, number).heads(check=True):
                ids = {bytes(key) for key in head.directory["key"]}
                if (head.directory["flags"] & STATE).any():
                    states |= ids
                else:
                    used[number] |= ids
                    frames.append(FlushFrame(number, head, base))
                    parts.append(head.directory)
                    base += len(head.directory)
    opened = _open_keys(keys, states.union(*used.values()))
    sealable = [number for number in numbers if _is_open(number, used[number], opened)]
    entries = np.concatenate(parts)
    file_of = np.repeat([f.number for f in frames], [len(f.head.directory) for f in frames]).astype(np.int64)
    rows = np.flatnonzero(np.isin(file_of, sealable))
    return Plan(
        node,
        frames,
        entries,
        np.repeat(np.arange(len(frames)), [len(f.head.directory) for f in frames]),
        np.zeros(len(entries), _FOUND),
        opened,
        sorted(key.id for key in opened.values()),
        list(_segments(entries, rows, opened, limits)),
        sealable,
    )


def _open_keys(keys: KeySource, ids: set[bytes]) -> Mapping[bytes, DataKey]:
    found = keys.open_keys(sorted(KeyId(identity.hex()) for identity in ids))
    return {bytes.fromhex(identity): key for identity, key in found.items()}


def _is_open(number: int, ids: set[bytes], opened: Mapping[bytes, DataKey]) -> bool:
    """Whether a file is still to be sealed. All its keys are destroyed in one transaction: some alone is damage."""
    there = sum(identity in opened for identity in ids)
    if there not in (0, len(ids)):
        raise VerificationError(
            "journal-key-missing",
            "the keeper opens some keys of a journal file and not others",
            object=journal_name(number),
            missing=len(ids) - there,
        )
    return there > 0 or not ids


def _segments(
    entries: Directory, rows: Rows, opened: Mapping[bytes, DataKey], limits: Limits
) -> Iterator[PlannedSegment]:
    """The rows by stream and day, without a gap, cut by the limits."""
    groups: dict[tuple[EnvironmentName, Stream], dict[Day, list[int]]] = {}
    ids = entries["key"].tobytes()
    for row in rows.tolist():
        key = opened[ids[16 * row : 16 * row + 16]]
        if key.stream is None or key.kind is not KeyKind.JOURNAL:
            raise VerificationError("journal-key-kind", "a batch is encrypted under a key of another kind", key=key.id)
        groups.setdefault((key.environment, key.stream), {}).setdefault(key.day, []).append(row)
    for (environment, stream), days in sorted(groups.items()):
        following = -1
        for day, listed in days.items():
            of_day = np.array(listed, np.int64)
            firsts, counts = entries["first"][of_day].astype(np.int64), entries["count"][of_day].astype(np.int64)
            ends = firsts + counts
            befores = np.concatenate(([following if following >= 0 else firsts[0]], ends[:-1]))
            if (firsts != befores).any():
                raise VerificationError(
                    "stream-gap",
                    "lines of a stream are missing in the journal",
                    environment=environment,
                    stream=stream.value,
                    line=int(befores[np.flatnonzero(firsts != befores)[0]]),
                )
            following = int(ends[-1])
            for begin, end in _cuts(counts, entries["length"][of_day].astype(np.int64), limits):
                yield PlannedSegment(
                    environment, stream, day, int(firsts[begin]), int(counts[begin:end].sum()), of_day[begin:end]
                )


def _cuts(counts: Rows, lengths: Rows, limits: Limits) -> Iterator[tuple[int, int]]:
    lines, size = np.cumsum(counts), np.cumsum(lengths)
    begin = 0
    while begin < len(counts):
        before = (int(lines[begin - 1]), int(size[begin - 1])) if begin else (0, 0)
        end = min(
            int(np.searchsorted(lines, before[0] + limits.lines, "right")),
            int(np.searchsorted(size, before[1] + limits.journal_bytes, "right")),
            begin + limits.batches,
        )
        end = max(end, begin + 1)
        yield begin, end
        begin = end
