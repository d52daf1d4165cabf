"""Raw lines to minimised lines: parse → environment → stream → guard. What reaches the journal has been through all
four."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from holdfast.formats.lines import Lines, join
from holdfast.formats.syslog.parsing import file_lines, parse
from holdfast.intake.places import Places
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.names import UNCLAIMED, EnvironmentName, Stream
from holdfast.rules.guard import MinimisedTable, minimise
from holdfast.rules.streams import environments, file_streams, streams

BLOCK_BYTES = 512
"""What a block weighs beside its buffer: many small ones must count as the memory they are."""


@dataclass(frozen=True, slots=True)
class SyslogBlock:
    """Frames of one syslog connection, in order, that arrived together."""

    lines: Lines
    arrival: Instant

    @property
    def weight(self) -> int:
        """Bytes of memory, about."""
        return len(self.lines.buffer) + BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class FileBlock:
    """Lines of a file, whose environment and stream the sender's token and request name."""

    lines: Lines
    arrival: Instant
    environment: EnvironmentName
    stream: Stream
    file: str

    @property
    def weight(self) -> int:
        """Bytes of memory, about."""
        return len(self.lines.buffer) + BLOCK_BYTES


class Preparer:
    """Parses and minimises the blocks of one flush. One thread at a time."""

    def __init__(self, pseudonym_keys: Callable[[Sequence[EnvironmentName], Day], Mapping[str, bytes]]) -> None:
        self._pseudonym_keys = pseudonym_keys

    def prepare(self, blocks: Sequence[SyslogBlock | FileBlock], places: Places, day: Day) -> MinimisedTable:
        """The lines of all blocks, minimised under the day's pseudonym keys. BusyError if the keeper is away."""
        frames = []
        syslog = [block for block in blocks if isinstance(block, SyslogBlock)]
        if syslog:
            frames.append(self._syslog(syslog, places))
        frames.extend(self._file(block) for block in blocks if isinstance(block, FileBlock))
        table = pl.concat(frames) if len(frames) > 1 else frames[0]
        present = [EnvironmentName(name) for name in table["environment"].unique().to_list()]
        return minimise(table, self._pseudonym_keys(present, day))

    def _file(self, block: FileBlock) -> pl.DataFrame:
        table = file_lines(block.lines, block.arrival, block.file)
        table = table.with_columns(pl.lit(block.environment).alias("environment"))
        return file_streams(table, block.stream)

    def _syslog(self, blocks: Sequence[SyslogBlock], places: Places) -> pl.DataFrame:
        arrival = np.repeat(
            np.array([block.arrival for block in blocks], np.int64), [len(block.lines) for block in blocks]
        )
        table = environments(parse(join([block.lines for block in blocks]), arrival), places.hosts)
        table = table.with_columns(
            pl.when(pl.col("environment") == "").then(pl.lit(UNCLAIMED)).otherwise("environment").alias("environment")
        )
        return streams(table, places.rules)
