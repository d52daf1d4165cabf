"""What the catalogue knows of a sealed segment."""

from dataclasses import dataclass

from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, Stream


@dataclass(frozen=True, slots=True)
class Hosting:
    """The vendor and region an environment lives on, for example aws and eu-west-1."""

    vendor: str
    region: str

    def __str__(self) -> str:
        return f"{self.vendor}/{self.region}"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One row of the catalogue. Lengths are of the rendered text in bytes, line ends included."""

    name: str
    environment: EnvironmentName
    stream: Stream
    node: NodeName
    day: Day
    first: int
    count: int
    arrival_min: Instant
    arrival_max: Instant
    text_bytes: int
    clear_bytes: int
    key: KeyId
    object_bytes: int
    object_sha256: str


def segment_name(
    environment: EnvironmentName, stream: Stream, day: Day, node: NodeName, first: int, generation: int = 0
) -> str:
    """`segments/<environment>/<stream>/<yyyy>/<mm>/<dd>/<node>-<first line>.<generation>.parquet` (formats,
    Segment)."""
    return f"segments/{environment}/{stream}/{day.replace('-', '/')}/{node}-{first}.{generation}.parquet"
