"""Sealed segments ⇄ bytes (formats, Segment): Parquet with modular encryption, written and read row group by row group.

A segment is opened with its own key under its own name: the AAD prefix `<installation>|<segment name>` is not in the
file, so a segment that was moved, renamed or changed anywhere does not open, and says so as a VerificationError that
names it. Nothing here touches a disk: both sides work on file objects that somebody else opened, and neither holds more
than one row group (65,536 lines or 64 MiB) in memory.

Layout `text-1` keeps the columns of formats; `combined-1` keeps web access lines in columns of their own
(formats.layouts). The first row group decides the layout and, column by column, whether values repeat enough for a
dictionary.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.parquet.encryption import create_decryption_properties, create_encryption_properties

from holdfast.formats import batchlists, layouts
from holdfast.formats.batchlists import BatchList, SealedBatch
from holdfast.formats.records import SCHEMA
from holdfast.kernel.errors import HoldfastError, MalformedError, VerificationError
from holdfast.kernel.names import Installation, Stream, environment_name, node_name
from holdfast.kernel.secrets import Secret

TEXT = "text-1"
COMBINED = "combined-1"
GROUP_LINES = 65_536
GROUP_BYTES = 64 << 20

_LEVEL = 3
_PAGE = 32 << 20
_STAMP = pa.timestamp("ns", "UTC")
_TEXTS = (pa.large_string(), pa.large_binary())
_NUMBERS = ("line", "arrival", "severity", "skew")
_FEW_LINES = 500  # Below this the further columns of a parsed layout cost more than they save.


class SegmentWriter:
    """Writes one segment to an open file, which the caller closes. `close` makes it whole; without it there is none."""

    def __init__(
        self, sink: BinaryIO | io.RawIOBase, key: Secret, installation: Installation, name: str, layout: str = ""
    ) -> None:
        """`layout` is chosen by the first lines if it is not given."""
        self._sink = sink
        self._encryption = create_encryption_properties(
            key.reveal(), aad_prefix=_aad_prefix(installation, name), store_aad_prefix=False
        )
        self._layout = layout
        self._writer: pq.ParquetWriter | None = None
        self._repeating: set[str] = set()
        self._waiting: list[pl.DataFrame] = []
        self._lines = 0
        self._bytes = 0
        self._following: int | None = None

    def add(self, first: int, table: pl.DataFrame) -> None:
        """Add lines (columns of records.SCHEMA), numbered from `first` on. MalformedError if they leave a gap."""
        if self._following not in (None, first):
            raise MalformedError("segment-gap", "the lines of a segment do not follow each other", line=first)
        self._following = first + table.height
        lines = pl.Series("line", np.arange(first, self._following, dtype=np.uint64))
        for part in table.select(lines, *SCHEMA).iter_slices(GROUP_LINES):
            size = int(part.estimated_size())
            if self._lines + part.height > GROUP_LINES or self._bytes + size > GROUP_BYTES:
                self._write_group()
            self._waiting.append(part)
            self._lines += part.height
            self._bytes += size

    def close(self, batches: Sequence[SealedBatch]) -> None:
        """Finish with the batches these lines came in, at least one, all of one stream and node."""
        head = batches[0].header
        self._write_group()
        if self._writer is None or head.first + sum(batch.header.count for batch in batches) != self._following:
            raise MalformedError("segment-batches", "the batches of a segment are not those of its lines")
        self._writer.add_key_value_metadata(
            {
                "layout": self._layout,
                "environment": head.environment,
                "stream": head.stream.value,
                "node": head.node,
                "batches": batchlists.pack(batches),
            }
        )
        self._writer.close()

    def _write_group(self) -> None:
        if not self._lines:
            return
        table = pl.concat(self._waiting)
        self._waiting, self._lines, self._bytes = [], 0, 0
        columns = {name: _array(table[name]) for name in table.columns if name != "message"}
        parsed = layouts.split(table["message"], table["time"]) if self._layout != TEXT else {}
        if not self._layout:
            split = table.height - parsed["status"].null_count
            self._layout = COMBINED if split * 2 > table.height >= _FEW_LINES else TEXT
        columns.update(parsed if self._layout == COMBINED else {"message": _array(table["message"])})
        if self._writer is None:
            self._repeating = {name for name, values in columns.items() if name not in _NUMBERS and _repeats(values)}
        for name, values in columns.items():
            if name in self._repeating and not pa.types.is_dictionary(values.type) and values.type in _TEXTS:
                columns[name] = values.dictionary_encode()
            elif name not in self._repeating and pa.types.is_dictionary(values.type):
                columns[name] = values.cast(values.type.value_type)
        rows = pa.table(columns)
        if self._writer is None:
            self._writer = self._opened(rows.schema)
        self._writer.write_table(rows, row_group_size=rows.num_rows)

    def _opened(self, schema: pa.Schema) -> pq.ParquetWriter:
        encodings = {
            name: "DELTA_BINARY_PACKED" if pa.types.is_integer(kind) or pa.types.is_timestamp(kind) else _LENGTHS_APART
            for name, kind in zip(schema.names, schema.types, strict=True)
            if name not in self._repeating
        }
        return pq.ParquetWriter(
            self._sink,
            schema,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=sorted(self._repeating),
            column_encoding=encodings,
            data_page_size=_PAGE,
            dictionary_pagesize_limit=_PAGE,
            write_statistics=["line"],
            store_schema=False,
            encryption_properties=self._encryption,
        )


_LENGTHS_APART = "DELTA_LENGTH_BYTE_ARRAY"


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Lines `first` to `first + count - 1`, the least that is read at a time."""

    first: int
    count: int


class SegmentReader:
    """Reads one segment from an open file, which the caller closes after the last read.

    Anything that is not what was sealed under this name and key is a VerificationError `segment-damaged`.
    """

    def __init__(self, source: BinaryIO, key: Secret, installation: Installation, name: str) -> None:
        self.name = name
        try:
            source.seek(0)
            if source.read(4) != b"PARE":
                self._damaged()
            opening = {
                "source": pa.PythonFile(source, mode="r"),
                "decryption_properties": create_decryption_properties(
                    key.reveal(), aad_prefix=_aad_prefix(installation, name)
                ),
                "pre_buffer": False,
            }
            metadata = pq.ParquetFile(**opening).metadata
            self._file = pq.ParquetFile(**opening, metadata=metadata, read_dictionary=_repeating(metadata))
            values = metadata.metadata or {}
            self.layout = values[b"layout"].decode()
            if self.layout not in (TEXT, COMBINED):
                self._damaged()
            self.batches: BatchList = batchlists.unpack(
                values[b"batches"],
                environment_name(values[b"environment"].decode()),
                Stream(values[b"stream"].decode()),
                node_name(values[b"node"].decode()),
            )
            self.row_groups: Sequence[RowGroup] = [
                _row_group(metadata.row_group(i)) for i in range(metadata.num_row_groups)
            ]
        except (HoldfastError, ValueError, KeyError, TypeError, OSError, pa.ArrowException):
            self._damaged()

    def read(self, group: int, columns: Sequence[str] = ()) -> pl.DataFrame:
        """The lines of one row group: the columns of records.SCHEMA, or some of them and `line`.

        With all columns, every stored byte of the row group is read and authenticated.
        """
        wanted = list(columns) or list(SCHEMA)
        stored = ["line", *(name for name in wanted if name != "line")]
        if self.layout == COMBINED and "message" in wanted:
            stored += [name for name in ("time", *layouts.COMBINED) if name not in stored]
        try:
            table = _from_arrow(self._file.read_row_group(group, stored, use_threads=False))
            first, count = self.row_groups[group].first, self.row_groups[group].count
            if not np.array_equal(table["line"].to_numpy(), np.arange(first, first + count, dtype=np.uint64)):
                self._damaged()
            if self.layout == COMBINED and "message" in wanted:
                table = table.with_columns(layouts.join(table).alias("message"))
            return table.select(wanted)
        except (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError):
            self._damaged()

    def table(self, first: int, count: int, columns: Sequence[str] = ()) -> pl.DataFrame:
        """Those lines numbered from `first` on that the segment holds, at most `count`."""
        parts = []
        for i, group in enumerate(self.row_groups):
            begin, end = max(first, group.first), min(first + count, group.first + group.count)
            if begin < end:
                parts.append(self.read(i, columns).slice(begin - group.first, end - begin))
        if parts:
            return pl.concat(parts)
        return pl.DataFrame(schema={"line": pl.UInt64, **SCHEMA}).select(columns or list(SCHEMA))

    def tables(self, columns: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """Everything, row group by row group."""
        for i in range(len(self.row_groups)):
            yield self.read(i, columns)

    def _damaged(self) -> NoReturn:
        raise VerificationError(
            "segment-damaged", "a segment is not what was sealed under this name and key", object=self.name
        ) from None


def _aad_prefix(installation: Installation, name: str) -> bytes:
    return f"{installation}|{name}".encode()


def _repeats(values: pa.Array) -> bool:
    """Whether a dictionary is worth it."""
    if pa.types.is_dictionary(values.type):
        return True
    unique = pc.count_distinct(values).as_py()
    if pa.types.is_timestamp(values.type):
        return bool(unique * 8 < len(values))
    return bool(unique * 4 < len(values) * 3) or pa.types.is_integer(values.type)


def _row_group(metadata: pq.RowGroupMetaData) -> RowGroup:
    statistics = metadata.column(0).statistics
    first, last = int(statistics.min), int(statistics.max)
    if metadata.column(0).path_in_schema != "line" or last - first + 1 != metadata.num_rows:
        raise ValueError
    return RowGroup(first, metadata.num_rows)


def _array(values: pl.Series) -> pa.Array:
    if values.dtype == pl.String and (values == values[0]).all():
        return layouts.constant(values[0], len(values))
    array = values.to_arrow(compat_level=pl.CompatLevel.oldest())
    return array.cast(_STAMP) if values.name in ("arrival", "time") else array


def _repeating(metadata: pq.FileMetaData) -> list[str]:
    """The text columns that were written with a dictionary: their values are read once and then pointed at."""
    if not metadata.num_row_groups:
        return []
    columns = [metadata.row_group(0).column(i) for i in range(metadata.num_columns)]
    return [c.path_in_schema for c in columns if c.physical_type == "BYTE_ARRAY" and "RLE_DICTIONARY" in c.encodings]


def _from_arrow(rows: pa.Table) -> pl.DataFrame:
    return pl.DataFrame([_series(name, rows.column(name).combine_chunks()) for name in rows.column_names])


def _series(name: str, values: pa.Array) -> pl.Series:
    if name in ("arrival", "time"):
        values = values.cast(pa.int64())
    if not pa.types.is_dictionary(values.type):
        return pl.Series(name, values)
    if values.type.value_type == pa.binary():
        large = values.dictionary.cast(pa.large_binary())
    else:
        large = values.dictionary.cast(pa.large_string())
    return pl.Series(name, large).gather(pl.Series(values.indices))
