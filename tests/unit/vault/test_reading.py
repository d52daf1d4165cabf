import asyncio
import random
from pathlib import Path

import polars as pl
import pytest
from tests.support.diskvaults import ACME, INSTALLATION, PERSON, STORE, DiskVault, OpenKeeper

from holdfast.drivers.readingfiles import JournalFiles, ObjectFiles
from holdfast.formats.records import SCHEMA, array_bytes
from holdfast.kernel.errors import ConflictError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import Form, Stream
from holdfast.kernel.secrets import Secret
from holdfast.rules.guard import reveal
from holdfast.rules.rendering import render
from holdfast.rules.selection import selection
from holdfast.vault.journalscanning import JournalIndex
from holdfast.vault.keeping import Kept
from holdfast.vault.reading import Library, Reading
from holdfast.vault.selecting import Selecting

pytestmark = pytest.mark.slow


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %d from 192.0.2.%d\n" % (n, n % 250) for n in range(first, first + count))


def revealed(stream: Stream, table: pl.DataFrame, key: Secret) -> pl.DataFrame:
    named = table.with_columns(pl.lit("e").alias("environment"), pl.lit(stream.value).alias("stream"))
    return reveal(named, {"e": key.reveal()}).select(list(SCHEMA))


def library(vault: DiskVault) -> Library:
    return Library(
        INSTALLATION,
        {STORE: ObjectFiles(vault.store_folder)},
        {name: JournalIndex(JournalFiles(node.folder / "journal")) for name, node in vault.nodes.items()},
        revealed,
        render,
        Kept(1 << 20),
    )


def reading_of(vault: DiskVault, form: Form = Form.CLEAR) -> Reading:
    opening = asyncio.run(OpenKeeper(vault).open(PERSON, "", ACME, Stream.APP, form, None, None))
    return Reading(library(vault), Stream.APP, form, opening)


@pytest.fixture
def vault(tmp_path: Path) -> DiskVault:
    """Two segments, then a journal of many batches; some batches cross row groups."""
    vault = DiskVault(tmp_path)
    node = vault.node()
    for first, count in ((0, 40_000), (40_000, 50_000), (90_000, 1)):
        node.take(lines(first, count))
        vault.pass_time(1)
    node.seal()
    node.take(lines(90_001, 10))
    vault.pass_time(1)
    node.seal()
    for first in range(90_011, 90_111):
        vault.pass_time(0.1)
        node.take(lines(first, 1))
    return vault


def test_bytes_at_any_offset_are_those_of_the_whole_text(vault: DiskVault) -> None:
    reading = reading_of(vault)
    [file] = reading.days()
    extents = reading.extents(*file)
    text = lines(0, 90_111)
    assert extents.size == len(text)
    assert extents.read(0, len(text) + 5) == text
    chance = random.Random(5)
    for _ in range(60):
        offset, length = chance.randrange(len(text) + 10), chance.choice((1, 300, 70_000))
        assert extents.read(offset, length) == text[offset : offset + length]
    extents.close()


def test_both_forms_have_true_sizes_before_anything_is_opened(vault: DiskVault) -> None:
    for form in Form:
        reading = reading_of(vault, form)
        extents = reading.extents(*reading.days()[0])
        assert extents.size == len(extents.read(0, 1 << 30))
        extents.close()


def test_what_is_decoded_ahead_is_served_without_waiting(vault: DiskVault) -> None:
    reading = reading_of(vault)
    extents = reading.extents(*reading.days()[0])
    assert extents.ready(0, 10) is None
    begin = extents.read_ahead(0)
    assert extents.ready(begin, 10) == lines(0, 90_111)[begin : begin + 10]
    extents.close()
    with pytest.raises(ConflictError):
        extents.read(begin, 10)


def test_a_file_sealed_under_a_reader_is_a_conflict_and_the_next_answer_has_it_all(vault: DiskVault) -> None:
    reading = reading_of(vault)
    extents = reading.extents(*reading.days()[0])
    assert not reading.missing()
    vault.node().seal()
    with pytest.raises(ConflictError):
        extents.read(extents.size - 5, 5)
    reading.refresh()
    assert reading.missing()
    again = reading_of(vault)
    newer = again.extents(*again.days()[0])
    newer.adopt(extents)
    assert newer.size == extents.size
    assert newer.read(newer.size - 30, 30) == lines(0, 90_111)[-30:]
    extents.close()
    newer.close()


def test_lines_in_journal_and_segment_at_once_are_read_once(vault: DiskVault) -> None:
    kept = {path: path.read_bytes() for path in (vault.node().folder / "journal").iterdir()}
    keys = dict(vault.keys.keys)
    vault.node().seal()
    for path, data in kept.items():
        path.write_bytes(data)
    vault.keys.keys.update(keys)
    reading = reading_of(vault)
    extents = reading.extents(*reading.days()[0])
    assert extents.read(0, 1 << 30) == lines(0, 90_111)
    extents.close()


def test_a_gap_in_the_numbers_is_a_conflict_unless_what_there_is_will_do(vault: DiskVault) -> None:
    name = next(name for name, entry in vault.keys.catalogue.items() if entry.first == 90_001)
    del vault.keys.catalogue[name]
    reading = reading_of(vault)
    with pytest.raises(ConflictError):
        reading.extents(*reading.days()[0])
    extents = reading.extents(*reading.days()[0], whole=False)
    assert extents.size == len(lines(0, 90_001)) + len(lines(90_011, 100))
    extents.close()


def test_a_damaged_segment_is_named(vault: DiskVault) -> None:
    [path] = vault.store_folder.rglob("n1-0.0.parquet")
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    reading = reading_of(vault)
    extents = reading.extents(*reading.days()[0])
    with pytest.raises(VerificationError) as caught:
        extents.read(0, 1 << 30)
    assert caught.value.fields["object"].endswith("n1-0.0.parquet")  # type: ignore[union-attr]
    extents.close()


def test_a_frame_half_written_is_not_seen_until_it_is_whole(vault: DiskVault) -> None:
    reading = reading_of(vault)
    before = reading.end(vault.node().name)
    newest = max((vault.node().folder / "journal").iterdir())
    size = newest.stat().st_size
    vault.node().take(lines(90_111, 5))
    whole = newest.read_bytes()
    for cut in (size + 10, size + 100, len(whole) - 1):
        newest.write_bytes(whole[:cut])
        reading.refresh()
        assert reading.end(vault.node().name) == before
    newest.write_bytes(whole)
    reading.refresh()
    assert reading.end(vault.node().name) == before + 5


def selected(vault: DiskVault, count: int | None = None, **wanted: object) -> bytes:
    selecting = Selecting(reading_of(vault), selection(**wanted))  # type: ignore[arg-type]
    blocks = selecting.everything() if count is None else selecting.newest(count)
    text = b"".join(array_bytes(block.text)[0] for block in blocks)
    selecting.close()
    return text


def test_selections_are_what_filtering_all_lines_gives(vault: DiskVault) -> None:
    text = lines(0, 90_111).splitlines(keepends=True)
    assert selected(vault, grep="line [0-9]*77 ") == b"".join(line for line in text if b"77 " in line)
    assert selected(vault, 150) == b"".join(text[-150:])
    assert selected(vault, 40, grep="[05] from") == b"".join(
        [li for li in text if li.split()[1][-1:] in (b"0", b"5")][-40:]
    )
    assert selected(vault, 10**9) == b"".join(text)
    assert selected(vault, 0) == b""
    arrived = Instant(vault.clock.now() - int(1.05e9))
    assert selected(vault, since=arrived) == b"".join(text[-11:])
    assert selected(vault, until=arrived) == b"".join(text[:-11])


def test_the_newest_lines_do_not_open_the_segments(vault: DiskVault) -> None:
    for path in vault.store_folder.rglob("*.parquet"):
        path.unlink()
    assert selected(vault, 50) == lines(90_061, 50)
