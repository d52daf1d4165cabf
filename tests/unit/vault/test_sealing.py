"""Sealing, whole and with the plug pulled on each side of every write."""

import io
from pathlib import Path

import pytest
from tests.support.journals import INSTALLATION, NODE, NOON, WrittenJournal, batch_root

from holdfast.drivers.memory import (
    Faults,
    MemoryJournalStore,
    MemoryKeySource,
    MemoryStore,
    PowerCut,
)
from holdfast.drivers.posix import PosixStore
from holdfast.formats import ledgers, records
from holdfast.formats.segments import SegmentReader
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import DAY_NS, Instant
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, Stream
from holdfast.vault.ports import Store
from holdfast.vault.sealing import Progress, seal
from holdfast.vault.sealingplans import Limits

ACME = EnvironmentName("acme/main")
ZOO = EnvironmentName("zoo/main")
WEB, APP, OTHER = (ACME, Stream.WEB_ACCESS), (ACME, Stream.APP), (ZOO, Stream.APP)
LINE = b'192.0.2.%d - - [20/Nov/2026:12:00:00 +0000] "GET /%d HTTP/1.1" 200 5 "-" "curl/8"'


def journal() -> WrittenJournal:
    written = WrittenJournal(MemoryJournalStore(), MemoryKeySource())
    written.begin(0)
    for i in range(4):
        written.flush(0, {WEB: [LINE % (i, j) for j in range(30)], APP: [b"a\x1f%d" % i]})
    written.begin(1)
    written.flush(1, {WEB: [b"not a combined line", b""], OTHER: [b"\xff\x00"]}, Instant(NOON + DAY_NS))
    written.begin(2)
    return written


def sealing(
    written: WrittenJournal, store: Store, ledger: Store, numbers: tuple[int, ...] = (0, 1), **options: object
) -> None:
    there = [number for number in numbers if number in written.store.files]
    seal(written.store, there, written.keys, store, ledger, INSTALLATION, NODE, **options)  # type: ignore[arg-type]


def check_sealed(written: WrittenJournal, store: MemoryStore, ledger: MemoryStore) -> None:
    """Every line of the journal is in exactly one catalogued segment, its roots hold, and nothing else is there."""
    catalogue = written.keys.catalogue
    assert sorted(store.objects) == sorted(catalogue)
    held: dict[tuple[EnvironmentName, Stream], list[bytes]] = {}
    for entry in sorted(catalogue.values(), key=lambda entry: (entry.environment, entry.stream, entry.first)):
        data = store.objects[entry.name]
        assert len(data) == entry.object_bytes
        reader = SegmentReader(io.BytesIO(data), written.keys.keys[entry.key].key, INSTALLATION, entry.name)
        lines = [line.as_py() for table in reader.tables() for line in records.encode(table)]
        assert len(lines) == entry.count
        for batch in reader.batches:
            begin = batch.header.first - entry.first
            assert batch.header.root == batch_root(batch.secret, lines[begin : begin + batch.header.count])
        held.setdefault((entry.environment, entry.stream), []).extend(lines)
    assert held == written.lines
    leaves = [f for name in ledger.names() if name.endswith(".leaves") for f in _leaves(ledger, name)]
    headers = [f for name in ledger.names() if name.endswith(".headers") for f in _headers(ledger, name)]
    assert [flush.each() for flush in leaves] == written.leaves
    assert [flush.leaves() for flush in headers] == written.leaves
    assert sorted(written.store.files) == [2]


@pytest.mark.parametrize("limits", [Limits(segments=3), Limits(keys=5)])
def test_more_than_one_transaction_takes_is_sealed_file_by_file(limits: Limits) -> None:
    written, store, ledger = journal(), MemoryStore(), MemoryStore()
    calls = list[int]()
    sealed = written.keys.sealed
    written.keys.sealed = lambda segments, ids: (calls.append(len(segments)), sealed(segments, ids))[1]  # type: ignore[method-assign,func-returns-value]
    sealing(written, store, ledger, limits=limits)
    assert calls == [2, 2]
    check_sealed(written, store, ledger)


def _leaves(ledger: MemoryStore, name: str) -> list[ledgers.FlushLeaves]:
    return list(ledgers.read_leaves(ledger.open(name), name))


def _headers(ledger: MemoryStore, name: str) -> list[ledgers.FlushHeaders]:
    return list(ledgers.read_headers(ledger.open(name), name))


def test_every_line_of_the_journal_is_in_a_segment_and_every_flush_in_the_ledger() -> None:
    written, store, ledger = journal(), MemoryStore(), MemoryStore()
    seen: list[Progress] = []
    sealing(written, store, ledger, progress=seen.append)
    check_sealed(written, store, ledger)
    assert (seen[0].all_lines, seen[-1].lines) == (127, 127)
    assert len(written.keys.catalogue) == 4  # web-access of two days, two app streams
    kinds = [key.kind for key in written.keys.keys.values()]
    assert (kinds.count(KeyKind.JOURNAL), kinds.count(KeyKind.STATE)) == (0, 1)  # that of the file still open


def test_segments_are_cut_between_batches() -> None:
    written, store, ledger = journal(), MemoryStore(), MemoryStore()
    sealing(written, store, ledger, limits=Limits(lines=65))
    check_sealed(written, store, ledger)
    web = [entry for entry in written.keys.catalogue.values() if entry.stream is Stream.WEB_ACCESS]
    assert [(entry.first, entry.count) for entry in web] == [(0, 60), (60, 60), (120, 2)]


@pytest.mark.parametrize("landed", [False, True])
def test_a_power_cut_on_either_side_of_any_write_loses_and_doubles_nothing(landed: bool) -> None:
    for at in range(100):
        written, store, ledger = journal(), MemoryStore(), MemoryStore()
        faults = Faults(at, landed=landed)
        for part in (written.store, written.keys, store, ledger):
            part.faults = faults
        try:
            sealing(written, store, ledger)
        except PowerCut:
            for part in (written.store, written.keys, store, ledger):
                part.faults = Faults()
            sealing(written, store, ledger)
            check_sealed(written, store, ledger)
        else:
            break
    assert faults.count == 12  # keys, four segments, two ledger objects per file, sealed, two files deleted


def test_sealing_file_by_file_comes_to_the_same() -> None:
    written, store, ledger = journal(), MemoryStore(), MemoryStore()
    sealing(written, store, ledger, (0,))
    sealing(written, store, ledger, (1,))
    check_sealed(written, store, ledger)


def test_a_flipped_byte_anywhere_in_the_journal_stops_sealing_before_any_key_is_destroyed() -> None:
    whole = journal().store.files[0]
    for at in range(7, len(whole), 997):
        written, store, ledger = journal(), MemoryStore(), MemoryStore()
        written.store.files[0] = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(VerificationError):
            sealing(written, store, ledger)
        assert not written.keys.destroyed
        assert written.store.numbers() == [0, 1, 2]


def test_a_gap_in_a_stream_stops_sealing() -> None:
    written = journal()
    written.lines[WEB].append(b"a line that no frame holds")
    written.flush(2, {WEB: [b"the one after it"]})
    with pytest.raises(VerificationError, match="stream-gap"):
        sealing(written, MemoryStore(), MemoryStore(), (0, 1, 2))


def test_a_file_whose_keys_are_gone_without_a_ledger_is_kept() -> None:
    written, store, ledger = journal(), MemoryStore(), MemoryStore()
    whole = dict(written.store.files)
    sealing(written, store, ledger)
    written.store.files.update(whole)
    with pytest.raises(VerificationError, match="journal-keys-gone"):
        sealing(written, store, MemoryStore())
    sealing(written, store, ledger)
    check_sealed(written, store, ledger)


class BadStore(MemoryStore):
    """A store that damages what it is given."""

    def create(self, name: str, data: bytes) -> None:
        super().create(name, data[:100] + b"\x00" + data[101:])


def test_a_segment_that_does_not_read_back_destroys_no_key() -> None:
    written = journal()
    with pytest.raises(VerificationError, match="segment-damaged"):
        sealing(written, BadStore(), MemoryStore())
    assert not written.keys.destroyed
    assert not written.keys.catalogue


def test_a_real_disk_holds_the_same(tmp_path: Path) -> None:
    written, store, ledger = journal(), PosixStore(tmp_path / "store"), PosixStore(tmp_path / "ledger")
    sealing(written, store, ledger)
    check_sealed(
        written,
        MemoryStore({name: store.read(name) for name in store.names()}),
        MemoryStore({name: ledger.read(name) for name in ledger.names()}),
    )
