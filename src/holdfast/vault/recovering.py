"""What a node does before it listens: read its journal to the end, and bring its log up to it.

A torn tail of the newest file was never acknowledged and is cut off; any other damage refuses to start, for what is
damaged is evidence. The log may be behind the journal (its entries are a pure function of the frames) but never ahead.
Running this twice changes nothing the second time.
"""

from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.batches import parse_header
from holdfast.formats.entries import FlushEntry
from holdfast.formats.frames import POSITIONS, STATE, FrameHead
from holdfast.formats.positions import Positions
from holdfast.kernel.errors import ConfigurationError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.keys import DataKey
from holdfast.kernel.names import KeyId, NodeName, key_id
from holdfast.rules.merkle import root
from holdfast.vault.journaling import Journal, NodeState, StreamHead, parse_state
from holdfast.vault.journalreading import JournalFile
from holdfast.vault.ports import Clock, JournalStore, KeySource, LogSink, Randomness


def recover(
    node: NodeName,
    context: bytes,
    store: JournalStore,
    keys: KeySource,
    log: LogSink,
    clock: Clock,
    randomness: Randomness,
) -> Journal:
    """The journal, ready to be written, and the log holding every flush of it."""
    numbers = list(store.numbers())
    if numbers and numbers != list(range(numbers[0], numbers[-1] + 1)):
        raise VerificationError(
            "journal-gap", "a journal file is missing; keep what is there and restore it", node=node
        )
    pending = [entry for number in numbers[:-1] for entry in _entries(node, _read(store, number)[0], log.size)]
    while numbers:
        heads, intact_size = _read(store, numbers[-1])
        if heads:
            break
        store.delete(numbers.pop())  # torn while it was made: nothing in it was acknowledged
    if not numbers:
        if log.size:
            raise ConfigurationError(
                "journal-lost",
                "the log goes on where no journal is; close this node and open one of a new name",
                node=node,
            )
        journal = Journal(store, keys, randomness, context, NodeState())
        journal.rotate(clock.now())
        return journal
    pending += _entries(node, heads, log.size)
    state, held = _state(store, numbers[-1], heads, keys, context)
    if log.size + len(pending) != state.next_flush:
        raise VerificationError(
            "log-ahead",
            "the log and the journal disagree; keep both as evidence and restore the journal",
            node=node,
            log_size=log.size,
            journal_flushes=state.next_flush,
        )
    store.truncate(numbers[-1], intact_size)  # not before the log has agreed that nothing durable follows
    if pending:
        log.append(pending)
    journal = Journal(store, keys, randomness, context, state)
    journal.adopt(numbers[-1], intact_size, heads[0].time, len(heads) == 1, held)
    return journal


def flush_entry(node: NodeName, flush: int, time: Instant, leaves: Sequence[bytes]) -> bytes:
    """The log entry of a flush: a pure function of its frame."""
    return FlushEntry(node=node, time=time, flush=flush, batches=len(leaves), root=root(leaves)).encode()


def _entries(node: NodeName, heads: Sequence[FrameHead], size: int) -> list[bytes]:
    return [
        flush_entry(node, head.flush, head.time, head.leaves())
        for head in heads
        if head.flush >= size and not _is_state(head)
    ]


def _is_state(head: FrameHead) -> bool:
    return bool(len(head.directory) and head.directory["flags"][0] & STATE)


def _read(store: JournalStore, number: int) -> tuple[list[FrameHead], int]:
    """Heads of a file's intact frames, and the offset where they end (before a torn tail, if there is one)."""
    with store.open(number) as source:
        heads = list(JournalFile(source, number).heads(check=True, torn_tail=True))
    if heads and not _is_state(heads[0]):
        raise VerificationError("journal-state-missing", "a journal file does not begin with its state", number=number)
    return heads, heads[-1].offset + heads[-1].length if heads else 0


def _state(
    store: JournalStore, number: int, heads: Sequence[FrameHead], keys: KeySource, context: bytes
) -> tuple[NodeState, Mapping[KeyId, DataKey]]:
    """The state at the end of a file: its state frame, and what each later frame adds."""
    ids = sorted({key_id(bytes(key).hex()) for head in heads for key in head.directory["key"]})
    held = keys.open_keys(ids)
    missing = [wanted for wanted in ids if wanted not in held]
    if missing:
        raise VerificationError(
            "journal-key", "the keeper does not hold a key of the newest journal file", number=number, keys=len(missing)
        )
    ciphers = {wanted: AESGCM(held[wanted].key.reveal()) for wanted in ids}
    state = NodeState()
    with store.open(number) as source:
        journal_file = JournalFile(source, number)
        for head in heads:
            if not _is_state(head) and head.flush != state.next_flush:
                raise VerificationError("journal-numbering", "a flush is missing in the journal", number=number)
            for i, row in enumerate(head.directory):
                used = key_id(bytes(row["key"]).hex())
                if row["flags"] & (STATE | POSITIONS):
                    body = journal_file.body(context, head, i, ciphers[used])
                    if row["flags"] & STATE:
                        state = parse_state(body.header, body.positions)
                        continue
                    header = parse_header(body.header)
                    state.positions.merge(Positions.decode(body.positions), header)
                stream = (held[used].environment, held[used].stream)
                assert stream[1] is not None
                state.heads[stream[0], stream[1]] = StreamHead(int(row["first"] + row["count"]), bytes(row["leaf"]))
            if not _is_state(head):
                state.next_flush, state.last = head.flush + 1, head.time
    return state, held
