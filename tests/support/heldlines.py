"""The lines an installation holds, read from segments and journals with the operator's keys, as a reader gets them."""

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.drivers.gatewaykeeper import OpenedJournal, OpenedSegment, Opening
from holdfast.drivers.readingfiles import JournalFiles, ObjectFiles
from holdfast.formats.batches import BatchHeader, parse_header
from holdfast.formats.records import SCHEMA
from holdfast.formats.segments import SegmentReader
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import Form, Installation, KeyId, Stream
from holdfast.rules.policy import Allowed
from holdfast.rules.rendering import render
from holdfast.vault.journalscanning import JournalIndex
from holdfast.vault.keeping import Kept
from holdfast.vault.reading import Library, Reading
from holdfast.wiring.home import Home
from holdfast.wiring.vaults import OpenVault, open_vault

_TRIES = 8
_LEASE_SECONDS = 60


def held(home: Home, environment: str, stream: Stream) -> pl.DataFrame:
    """Every line of a stream in order of commitment, node after node: records.SCHEMA and `text`, each line as it is
    shown with pseudonyms (with its LF), `node` and `line`, its number there."""
    with open_vault(home) as vault:
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                return _read(vault, environment, stream)
            except ConflictError:  # a journal file was sealed meanwhile: look again
                if last:
                    raise
    raise AssertionError


def batches(home: Home, environment: str, stream: Stream) -> list[BatchHeader]:
    """The headers of every batch held of a stream. Nothing may be sealed meanwhile."""
    with open_vault(home) as vault:
        opening, found = _opening(vault, environment, stream), list[BatchHeader]()
        for segment in opening.segments:
            with vault.stores()[segment.store].open(segment.entry.name) as source:
                installation = Installation(vault.settings.installation)
                reader = SegmentReader(source, segment.key, installation, segment.entry.name)
                found += [batch.header for batch in reader.batches]
        for node in {key.node for key in opening.journal}:
            index = JournalIndex(JournalFiles(home.journal(node)))
            index.refresh()
            keys = {key.id: AESGCM(key.key.reveal()) for key in opening.journal if key.node == node}
            held_there, context = index.under(keys), f"{vault.settings.installation}/{node}".encode()
            for i in range(len(held_there)):
                with index.open(int(held_there.frames["number"][i])) as source:
                    cipher = keys[KeyId(bytes(held_there.rows["key"][i]).hex())]
                    found.append(parse_header(held_there.body(i, source, context, cipher).header))
    return found


def _opening(vault: OpenVault, environment: str, stream: Stream) -> Opening:
    catalogue = vault.catalogue()
    rows = [row for row in catalogue.segments if (row.entry.environment, row.entry.stream) == (environment, stream)]
    known = [
        key
        for key in catalogue.keys.values()
        if (key.kind, key.environment, key.stream, key.state) == (KeyKind.JOURNAL, environment, stream, "active")
    ]
    keys = vault.keys([row.entry.key for row in rows] + [key.id for key in known])
    segments = tuple(OpenedSegment(row.entry, keys[row.entry.key], row.store) for row in rows)
    journal = tuple(
        OpenedJournal(key.id, key.node, key.day, keys[key.id]) for key in known if key.node and key.id in keys
    )
    return Opening(Allowed(()), segments, journal, {}, _LEASE_SECONDS)


def _read(vault: OpenVault, environment: str, stream: Stream) -> pl.DataFrame:
    opening, nodes = _opening(vault, environment, stream), vault.settings.node_names()
    library = Library(
        Installation(vault.settings.installation),
        {name: ObjectFiles(path) for name, path in vault.home.stores(vault.settings).items()},
        {node: JournalIndex(JournalFiles(vault.home.journal(node))) for node in nodes},
        lambda _stream, table, _key: table,
        render,
        Kept(64 << 20),
    )
    reading = Reading(library, stream, Form.PSEUDONYM, opening)
    tables = [pl.DataFrame(schema={**SCHEMA, "text": pl.Binary, "node": pl.String, "line": pl.Int64})]
    for day, node in sorted(reading.days(), key=lambda file: (file[1], file[0])):
        extents = reading.extents(day, node)
        for place in extents.places():
            table = extents.table(place)
            numbers = pl.int_range(place.span.first, place.span.first + len(table), dtype=pl.Int64, eager=True)
            tables.append(
                table.with_columns(
                    pl.Series("text", extents.render(table).to_pylist(), pl.Binary),
                    pl.lit(node).alias("node"),
                    numbers.alias("line"),
                )
            )
        extents.close()
    return pl.concat(tables)


def messages(home: Home, environment: str, stream: Stream) -> list[bytes]:
    """The messages alone."""
    return held(home, environment, stream)["message"].to_list()
