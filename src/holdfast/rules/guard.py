"""The guard: minimisation at the door. Pure and thread-safe; whole tables at a time (see docs/guard.md).

`minimise` replaces every address the recogniser finds in `message`, and in the `attributes` of syslog lines, by its
pseudonym under the environment's key of the day, and measures the lines in both renderings. Only it makes a
`MinimisedTable`, and the vault takes nothing else. `reveal` is the inverse for those entitled: canonical addresses,
whose lengths `clear_bytes` foretold. Host, program and procid are the sender's own and stay.

The order of a flush: `parse` → `streams.environments` → `streams.streams` → `minimise`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from holdfast.formats.records import column_bytes
from holdfast.formats.scanning import Offsets
from holdfast.kernel.errors import BusyError
from holdfast.rules import pseudonyms, rendering
from holdfast.rules.addresses import recognise
from holdfast.rules.pseudonyms import Addresses
from holdfast.rules.spans import Spans

_PLAIN_ATTRIBUTES = len('{"facility":"23"}')
_FILE = '{"file":'
_WITNESS: Final = object()

_Translation = Callable[[Sequence[bytes], npt.NDArray[np.int64], Addresses], Addresses]
"""Keys, how many addresses under each, the addresses grouped that way → the translated ones."""


@final
class MinimisedTable:
    """A table the guard has been over: columns of formats.records.SCHEMA, `environment`, `stream`, and the lengths of
    each line's rendering, LF included: `text_bytes` with pseudonyms, `clear_bytes` with canonical addresses
    (Int64)."""

    __slots__ = ("table",)

    def __init__(self, table: pl.DataFrame, witness: object) -> None:
        if witness is not _WITNESS:
            raise TypeError("only the guard makes a minimised table")
        self.table: Final = table

    def __len__(self) -> int:
        return len(self.table)


def minimise(table: pl.DataFrame, keys: Mapping[str, bytes]) -> MinimisedTable:
    """The table without addresses. `table` has the columns of SCHEMA, `environment` and `stream`; `keys` the pseudonym
    key (32 bytes) of the day for each environment. BusyError `pseudonym-key` if a line with an address has none."""
    result, growth = _translate(table, keys, pseudonyms.encrypt_each)
    text = rendering.lengths(result)
    return MinimisedTable(
        result.with_columns(pl.Series("text_bytes", text), pl.Series("clear_bytes", text - growth)), _WITNESS
    )


def reveal(table: pl.DataFrame, keys: Mapping[str, bytes]) -> pl.DataFrame:
    """The table with pseudonyms turned back into canonical addresses. `table` has `message`, `attributes` and
    `environment`; `keys` those of the lines' day. BusyError `pseudonym-key` if a line with a pseudonym has none."""
    return _translate(table, keys, _decrypt_each)[0]


def _decrypt_each(keys: Sequence[bytes], counts: npt.NDArray[np.int64], addresses: Addresses) -> Addresses:
    parts = np.split(addresses, np.cumsum(counts)[:-1])
    return np.concatenate([pseudonyms.decrypt(key, part) for key, part in zip(keys, parts, strict=True)])


def _translate(
    table: pl.DataFrame, keys: Mapping[str, bytes], translation: _Translation
) -> tuple[pl.DataFrame, npt.NDArray[np.int64]]:
    """The table with addresses translated, and by how many bytes each message differs from its canonical original."""
    names = table["environment"].unique().sort().to_list()
    owners = (
        table["environment"].replace_strict(names, list(range(len(names))), return_dtype=pl.Int64).to_numpy()
        if len(names) > 1
        else np.zeros(len(table), np.int64)
    )
    message, growth = _column(table["message"], owners, names, keys, translation)
    attributes = table["attributes"]
    rich = (attributes.str.len_bytes() > _PLAIN_ATTRIBUTES) & ~attributes.str.starts_with(_FILE)
    if rich.any():
        rows = rich.arg_true()
        some = attributes.gather(rows).cast(pl.Binary)
        changed, _ = _column(some, owners[rows.to_numpy()], names, keys, translation)
        attributes = attributes.scatter(rows, changed.cast(pl.String))
    return table.with_columns(message.alias("message"), attributes.alias("attributes")), growth


def _column(
    column: pl.Series, owners: Offsets, names: Sequence[str], keys: Mapping[str, bytes], translation: _Translation
) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """A Binary column with its addresses translated, and how much longer than with canonical ones each row is."""
    buffer, offsets = column_bytes(column)
    spans = recognise(buffer, offsets)
    count = len(column)
    if not len(spans):
        return column, np.zeros(count, np.int64)
    owner = owners[spans.rows]
    first, which = _distinct(owner, spans)
    present, sizes = np.unique(owner[first], return_counts=True)
    used = [keys.get(names[index]) for index in present.tolist()]
    if any(key is None for key in used):
        raise BusyError("pseudonym-key", "an environment has no pseudonym key for this day", missing=used.count(None))
    old = spans.addresses[first]
    new = translation([key for key in used if key is not None], sizes, old)
    dotted = spans.dotted[first]
    texts = pseudonyms.texts(new, dotted)
    lengths = _lengths(texts)
    # A dotted quad is canonical as it stands; an IPv6 text may not be.
    before = (spans.ends - spans.starts)[first]
    if not dotted.all():
        before[~dotted] = _lengths(pseudonyms.texts(old[~dotted], dotted[~dotted]))
    growth = lengths - before
    spliced = _splice(buffer, offsets, spans, texts, which, lengths[which])
    return spliced, _per_row(spans.rows, growth[which], count)


def _lengths(texts: pa.LargeBinaryArray) -> Offsets:
    offsets = np.frombuffer(texts.buffers()[1], np.int64, len(texts) + 1)
    return offsets[1:] - offsets[:-1]


def _per_row(rows: Offsets, amounts: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    return np.bincount(rows, weights=amounts, minlength=count).astype(np.int64)


def _distinct(owner: Offsets, spans: Spans) -> tuple[Offsets, Offsets]:
    """The distinct (owner, address, family as written) among the spans: the index of one span of each, sorted by owner;
    and for every span which of them it is."""
    words = spans.addresses.view(">u8").reshape(-1, 2).astype(np.uint64)
    marked = owner.astype(np.uint64) * np.uint64(2) + spans.dotted
    if spans.dotted.all():
        _, first, which = np.unique(
            (marked << np.uint64(32)) | (words[:, 1] & np.uint64(0xFFFFFFFF)), return_index=True, return_inverse=True
        )
        return first, which
    order = np.lexsort((words[:, 1], words[:, 0], marked))
    sorted_ = np.column_stack((marked[order], words[order]))
    new = np.append(True, (sorted_[1:] != sorted_[:-1]).any(1))
    which = np.empty(len(order), np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def _splice(
    buffer: bytes, offsets: Offsets, spans: Spans, texts: pa.LargeBinaryArray, which: Offsets, lengths: Offsets
) -> pl.Series:
    """The rows with every span replaced by its text."""
    count = len(spans)
    cuts = np.empty(2 * count + 2, np.int64)
    cuts[0], cuts[-1] = 0, len(buffer)
    cuts[1:-1:2], cuts[2:-1:2] = spans.starts, spans.ends
    pieces = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2 * count + 1, [None, pa.py_buffer(cuts), pa.py_buffer(buffer)]
    )
    order = np.arange(2 * count + 1)
    order[1::2] = 2 * count + 1 + which
    joined = pa.concat_arrays([pieces, texts]).take(pa.array(order))
    grown = _per_row(spans.rows, lengths - (spans.ends - spans.starts), len(offsets) - 1)
    rows = offsets.copy()
    rows[1:] += np.cumsum(grown)
    return pl.Series(
        pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(rows), joined.buffers()[2]]
        )
    )
