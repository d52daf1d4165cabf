"""The newest lines of a stream, read from segments and journals with the operator's keys; in bounded number.

For checks alone: what they read they look at and count, and show to nobody.
"""

import polars as pl

from holdfast.drivers.gatewaykeeper import OpenedJournal, OpenedSegment, Opening
from holdfast.drivers.operatorkeeper import Catalogue
from holdfast.drivers.readingfiles import JournalFiles, ObjectFiles
from holdfast.formats.records import SCHEMA
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, Form, Installation, Stream
from holdfast.rules.policy import Allowed
from holdfast.rules.rendering import render
from holdfast.rules.selection import selection
from holdfast.vault.journalscanning import JournalIndex
from holdfast.vault.keeping import Kept
from holdfast.vault.reading import Library, Reading
from holdfast.vault.selecting import Selecting
from holdfast.wiring.vaults import OpenVault

_TRIES = 5
_LEASE_SECONDS = 60
_SEGMENTS = 8
"""Newest segments that are opened."""
_KEPT_BYTES = 16 << 20


def newest(vault: OpenVault, environment: EnvironmentName, stream: Stream, count: int) -> pl.DataFrame:
    """At most so many of the newest lines, oldest first: columns of records.SCHEMA, `node`, and `line`, its number
    there. ConflictError if lines kept moving while they were read; VerificationError for damaged bytes."""
    for last in (False,) * (_TRIES - 1) + (True,):
        try:
            return _read(vault, _opening(vault, vault.catalogue(), environment, stream), stream, count)
        except ConflictError:  # a journal file was sealed meanwhile: look again
            if last:
                raise
    raise AssertionError


def _opening(vault: OpenVault, catalogue: Catalogue, environment: EnvironmentName, stream: Stream) -> Opening:
    place = (environment, stream)
    rows = [row for row in catalogue.segments if (row.entry.environment, row.entry.stream) == place]
    rows = sorted(rows, key=lambda row: row.entry.arrival_max)[-_SEGMENTS:]
    known = [
        key
        for key in catalogue.keys.values()
        if (key.kind, key.environment, key.stream, key.state) == (KeyKind.JOURNAL, *place, "active")
    ]
    keys = vault.keys([row.entry.key for row in rows] + [key.id for key in known])
    segments = tuple(OpenedSegment(row.entry, keys[row.entry.key], row.store) for row in rows if row.entry.key in keys)
    journal = tuple(
        OpenedJournal(key.id, key.node, key.day, keys[key.id]) for key in known if key.node and key.id in keys
    )
    return Opening(Allowed(()), segments, journal, {}, _LEASE_SECONDS)


def _read(vault: OpenVault, opening: Opening, stream: Stream, count: int) -> pl.DataFrame:
    library = Library(
        Installation(vault.settings.installation),
        {name: ObjectFiles(path) for name, path in vault.home.stores(vault.settings).items()},
        {node: JournalIndex(JournalFiles(vault.home.journal(node))) for node in vault.settings.node_names()},
        lambda _stream, table, _key: table,
        render,
        Kept(_KEPT_BYTES),
    )
    selecting = Selecting(Reading(library, stream, Form.PSEUDONYM, opening), selection(), whole=False)
    tables = [pl.DataFrame(schema={**SCHEMA, "node": pl.String, "line": pl.Int64})]
    try:
        for block in selecting.newest(count):
            names = pl.Series("node", [block.nodes[i] for i in block.node.tolist()], pl.String)
            numbers = pl.Series("line", block.numbers, pl.Int64)
            tables.append(block.table.select(list(SCHEMA)).with_columns(names, numbers))
    finally:
        selecting.close()
    return pl.concat(tables)
