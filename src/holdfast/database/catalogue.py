"""The catalogue of sealed segments: entered by nodes, read by gateways and by verification."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import Model, QuerySet

from holdfast.access.ports import WrappedKey
from holdfast.database import models
from holdfast.database.keyrecords import chunks, ids_of_environments, usable, wrapped_keys
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, Stream
from holdfast.kernel.segments import SegmentEntry

_M = TypeVar("_M", bound=Model)
_PLAIN = (
    "name",
    "day",
    "first",
    "count",
    "arrival_min",
    "arrival_max",
    "text_bytes",
    "clear_bytes",
    "object_bytes",
    "object_sha256",
)


@dataclass(frozen=True, slots=True)
class Catalogued:
    """A segment and the store it lies in (`vendor-region`: its node's)."""

    row: int
    entry: SegmentEntry
    store: str


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days from `since` to `until`, both included; None is open."""

    since: Day | None
    until: Day | None


def enter_segments(segments: Sequence[SegmentEntry]) -> Sequence[SegmentEntry]:
    """Enter segments; those that were new. Within the caller's transaction, all of one node.

    ConflictError `segment-differs` if the name is taken by another, `segment-overlaps` if lines are catalogued already.
    """
    known = {
        item.entry.name: item.entry
        for part in chunks([segment.name for segment in segments])
        for item in _rows(models.Segment.objects.filter(name__in=part))
    }
    new = [segment for segment in segments if segment.name not in known]
    for segment in segments:
        if known.get(segment.name, segment) != segment:
            raise ConflictError("segment-differs", "another segment has this name", segment=segment.name)
    environments = ids_of_environments({segment.environment for segment in new})
    nodes: dict[str, int] = dict(models.Node.objects.values_list("name", "id"))
    rows = [
        models.Segment(
            environment_id=environments[segment.environment],
            stream=segment.stream.value,
            node_id=nodes[segment.node],
            key_id=segment.key,
            **{name: getattr(segment, name) for name in _PLAIN},
        )
        for segment in new
    ]
    try:
        models.Segment.objects.bulk_create(rows, batch_size=60)
    except IntegrityError:
        raise ConflictError("segment-overlaps", "lines or key of this segment are in the catalogue already") from None
    return new


def segments_of(environment: EnvironmentName, stream: Stream, days: DayRange, limit: int) -> Sequence[Catalogued]:
    """The segments of a stream, by day, node and first line; at most `limit`."""
    rows = models.Segment.objects.filter(environment__name=environment, stream=stream.value)
    return list(_rows(_within(rows, days).order_by("day", "node__name", "first")[:limit]))


def segments_after(row: int, limit: int) -> Sequence[Catalogued]:
    """A page of all segments, in the order they were entered."""
    return list(_rows(models.Segment.objects.filter(id__gt=row).order_by("id")[:limit]))


def journal_keys_of(environment: EnvironmentName, stream: Stream, days: DayRange) -> Sequence[WrappedKey]:
    """The journal keys of a stream that may be handed out: of lines not sealed yet."""
    rows = usable().filter(environment__name=environment, stream=stream.value, kind=KeyKind.JOURNAL.value)
    return list(wrapped_keys(_within(rows, days).order_by("day", "node__name", "id")))


def pseudonym_keys_of(environment: EnvironmentName, days: DayRange) -> Sequence[WrappedKey]:
    """The pseudonym keys of an environment that may be handed out."""
    rows = usable().filter(environment__name=environment, kind=KeyKind.PSEUDONYM.value)
    return list(wrapped_keys(_within(rows, days).order_by("day")))


def _within(rows: "QuerySet[_M]", days: DayRange) -> "QuerySet[_M]":
    if days.since:
        rows = rows.filter(day__gte=days.since)
    return rows.filter(day__lte=days.until) if days.until else rows


def _rows(rows: "QuerySet[models.Segment]") -> Iterator[Catalogued]:
    columns = ("id", "environment__name", "stream", "node__name", "node__vendor", "node__region", "key_id", *_PLAIN)
    for number, environment, stream, node, vendor, region, key, name, day, first, count, *rest in rows.values_list(
        *columns
    ):
        arrival_min, arrival_max, text_bytes, clear_bytes, object_bytes, object_sha256 = rest
        entry = SegmentEntry(
            name=name,
            environment=EnvironmentName(environment),
            stream=Stream(stream),
            node=NodeName(node),
            day=Day(day),
            first=first,
            count=count,
            arrival_min=Instant(arrival_min),
            arrival_max=Instant(arrival_max),
            text_bytes=text_bytes,
            clear_bytes=clear_bytes,
            key=KeyId(key),
            object_bytes=object_bytes,
            object_sha256=object_sha256,
        )
        yield Catalogued(number, entry, f"{vendor}-{region}")
