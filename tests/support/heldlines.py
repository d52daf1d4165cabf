"""The lines an installation holds, read from segments and journals with the operator's keys, as a reader gets them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from holdfast.drivers.readingfiles import JournalFiles, ObjectFiles
from holdfast.formats.records import SCHEMA
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.instants import Day
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import Form, Installation, KeyId, NodeName, Stream
from holdfast.kernel.secrets import Secret
from holdfast.kernel.segments import SegmentEntry
from holdfast.rules.policy import Allowed, Decision
from holdfast.rules.rendering import render
from holdfast.vault.journalscanning import JournalIndex
from holdfast.vault.keeping import Kept
from holdfast.vault.reading import Library, Reading
from holdfast.wiring.home import Home
from holdfast.wiring.vaults import OpenVault, open_vault

_TRIES = 8


@dataclass(frozen=True)
class _Segment:
    entry: SegmentEntry
    key: Secret
    store: str


@dataclass(frozen=True)
class _JournalKey:
    id: KeyId
    node: NodeName
    day: Day
    key: Secret


@dataclass(frozen=True)
class _Opening:
    segments: list[_Segment]
    journal: list[_JournalKey]
    decision: Decision = field(default=Allowed(()))
    pseudonyms: Mapping[Day, Secret] = field(default_factory=dict)
    lease_seconds: int = 60


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


def _read(vault: OpenVault, environment: str, stream: Stream) -> pl.DataFrame:
    catalogue = vault.catalogue()
    rows = [row for row in catalogue.segments if (row.entry.environment, row.entry.stream) == (environment, stream)]
    known = [
        key
        for key in catalogue.keys.values()
        if (key.kind, key.environment, key.stream, key.state) == (KeyKind.JOURNAL, environment, stream, "active")
    ]
    keys = vault.keys([row.entry.key for row in rows] + [key.id for key in known])
    opening = _Opening(
        [_Segment(row.entry, keys[row.entry.key], row.store) for row in rows],
        [_JournalKey(key.id, key.node, key.day, keys[key.id]) for key in known if key.node and key.id in keys],
    )
    nodes = [node.name for node in catalogue.nodes]
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
