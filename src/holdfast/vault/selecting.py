"""The lines that are asked for, over days and nodes, in constant memory: span by span, filtered, merged by arrival.

On one node lines come in their order of commitment. Several nodes are merged by arrival; lines of one node never change
places. A plan says which spans are read; for the newest lines it is made from the newest span backwards, so that
"the last 1000" of a day does not read the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from holdfast.kernel.names import NodeName
from holdfast.rules.selection import Selection, by_text
from holdfast.vault.extents import Extents, Place
from holdfast.vault.reading import DayFile, Reading

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines in order: records (columns of records.SCHEMA), their text (each with its LF), numbers and nodes."""

    table: pl.DataFrame
    text: pa.LargeBinaryArray
    numbers: Numbers
    nodes: tuple[NodeName, ...]
    """The nodes that `node` points into."""
    node: Numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def part(self, begin: int, end: int | None = None) -> "Block":
        """Some of the lines."""
        end = len(self) if end is None else end
        return Block(
            self.table.slice(begin, end - begin),
            self.text.slice(begin, end - begin),
            self.numbers[begin:end],
            self.nodes,
            self.node[begin:end],
        )


class Selecting:
    """What a selection finds in a reading. Close it when done; one thread at a time."""

    def __init__(self, reading: Reading, wanted: Selection, *, whole: bool = True) -> None:
        """`whole`: a gap in the numbers is a ConflictError `lines-moved`, not passed over."""
        self._reading = reading
        self._wanted = wanted
        self._whole = whole
        self._open: dict[NodeName, Extents] = {}
        self.ends: dict[NodeName, int] = {}
        """Per node, the number after the last line that was looked at."""

    def everything(self, after: Mapping[NodeName, int] | None = None) -> Iterator[Block]:
        """The lines, in order; per node only those from a number on, where one is given."""
        after = after or {}
        return _merged({node: self._forward(files, after.get(node)) for node, files in self._files().items()})

    def newest(self, count: int) -> Iterator[Block]:
        """The last so many lines, in order."""
        plans = {node: self._plan(files, count) for node, files in self._files().items()}
        surplus = sum(found for _, found in plans.values()) - count
        for block in _merged({node: self._planned(plan) for node, (plan, _) in plans.items()}):
            dropped = min(max(surplus, 0), len(block))
            surplus -= dropped
            if dropped < len(block):
                yield block.part(dropped)

    def counted(self, enough: int) -> int:
        """How many lines there are, counted from the newest until there are enough."""
        return sum(self._plan(files, enough)[1] for files in self._files().values())

    def close(self) -> None:
        """Let go of what is open."""
        for extents in self._open.values():
            extents.close()
        self._open.clear()

    def _files(self) -> dict[NodeName, list[DayFile]]:
        files: dict[NodeName, list[DayFile]] = {}
        for day, node in self._reading.days():
            files.setdefault(node, []).append((day, node))
        return files

    def _extents(self, file: DayFile) -> Extents:
        day, node = file
        extents = self._open.get(node)
        if extents is None or extents.day != day:
            if extents is not None:
                extents.close()
            extents = self._open[node] = self._reading.extents(day, node, whole=self._whole)
        return extents

    def _looked(self, file: DayFile, extents: Extents) -> None:
        self.ends[file[1]] = max(self.ends.get(file[1], 0), extents.end)

    def _forward(self, files: Sequence[DayFile], after: int | None) -> Iterator[Block]:
        for file in files:
            extents = self._extents(file)
            for place in extents.places(self._wanted.since, self._wanted.until, after):
                block = self._block(extents, place, after)
                if len(block):
                    yield block
            self._looked(file, extents)

    def _plan(self, files: Sequence[DayFile], count: int) -> tuple[list[tuple[DayFile, Place]], int]:
        """The spans, oldest first, that hold the newest so many lines, and how many they hold."""
        plan: list[tuple[DayFile, Place]] = []
        found = 0
        unfiltered = self._wanted.since is None and self._wanted.until is None and not self._wanted.by_text
        for file in reversed(files):
            extents = self._extents(file)
            self._looked(file, extents)
            if found >= count:
                break
            for place in extents.places(self._wanted.since, self._wanted.until, newest_first=True):
                holds = place.span.count if unfiltered else len(self._block(extents, place, None))
                if holds:
                    plan.append((file, place))
                    found += holds
                if found >= count:
                    break
        return plan[::-1], found

    def _planned(self, plan: Sequence[tuple[DayFile, Place]]) -> Iterator[Block]:
        for file, place in plan:
            yield self._block(self._extents(file), place, None)

    def _block(self, extents: Extents, place: Place, after: int | None) -> Block:
        table = extents.table(place)
        numbers = np.arange(place.span.first, place.span.first + len(table), dtype=np.int64)
        keep = np.ones(len(table), np.bool_)
        arrivals = table["arrival"].to_numpy()
        if self._wanted.since is not None:
            keep &= arrivals >= self._wanted.since
        if self._wanted.until is not None:
            keep &= arrivals < self._wanted.until
        if after is not None:
            keep &= numbers >= after
        if not keep.all():
            table, numbers = table.filter(pl.Series(keep)), numbers[keep]
        text = extents.render(table)
        found = by_text(self._wanted, text) if len(table) else None
        if found is not None and not found.all():
            table, numbers, text = table.filter(pl.Series(found)), numbers[found], text.filter(pa.array(found))
        return Block(table, text, numbers, (extents.node,), np.zeros(len(numbers), np.int64))


def _merged(sources: Mapping[NodeName, Iterator[Block]]) -> Iterator[Block]:
    if len(sources) == 1:
        yield from next(iter(sources.values()))
        return
    heads: dict[NodeName, Block] = {}
    while True:
        for node in sources:
            if node not in heads and (block := next(sources[node], None)) is not None:
                heads[node] = block
        if not heads:
            return
        # Everything up to the earliest of the last arrivals at hand can be put in order now.
        cut = min(int(block.table["arrival"][-1]) for block in heads.values())
        parts = []
        for node, block in list(heads.items()):
            many = int(np.searchsorted(block.table["arrival"].to_numpy(), cut, "right"))
            if many:
                parts.append(block.part(0, many))
            if many == len(block):
                del heads[node]
            else:
                heads[node] = block.part(many)
        yield _sorted(parts)


def _sorted(parts: Sequence[Block]) -> Block:
    if len(parts) == 1:
        return parts[0]
    table = pl.concat([part.table for part in parts])
    order = np.argsort(table["arrival"].to_numpy(), kind="stable")
    nodes = tuple(part.nodes[0] for part in parts)
    text = pa.concat_arrays([part.text for part in parts])
    return Block(
        table[pl.Series(order)],
        text.take(pa.array(order)),
        np.concatenate([part.numbers for part in parts])[order],
        nodes,
        np.repeat(np.arange(len(parts)), [len(part) for part in parts])[order],
    )
