"""What the database holds, counted and listed: nothing personal, no key bytes."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Sum

from holdfast.database import models


def counts() -> dict[str, int]:
    """How many of each; `lines` and `object_bytes` are sums over the catalogue."""
    sums = models.Segment.objects.aggregate(lines=Sum("count"), object_bytes=Sum("object_bytes"))
    active = models.KeyRecord.objects.filter(state=models.KeyState.ACTIVE.value)
    return {
        "customers": models.Customer.objects.filter(closed=False).count(),
        "environments": models.Environment.objects.filter(closed=False).count(),
        "persons": models.Person.objects.filter(closed=False).count(),
        "nodes": models.Node.objects.count(),
        "segments": models.Segment.objects.count(),
        "lines": sums["lines"] or 0,
        "object_bytes": sums["object_bytes"] or 0,
        "keys_active": active.filter(reason="").count(),
        "keys_waiting": active.exclude(reason="").count(),
        "keys_destroyed": models.KeyRecord.objects.filter(state=models.KeyState.DESTROYED.value).count(),
        "events": models.Event.objects.count(),
    }


def nodes() -> list[dict[str, str]]:
    """Every node ever announced."""
    return [
        {
            "name": row.name,
            "origin": row.origin,
            "vkey": row.vkey,
            "promise_vkey": row.promise_vkey,
            "hosting": f"{row.vendor}/{row.region}",
        }
        for row in models.Node.objects.order_by("name")
    ]


def key_records_after(key: str, limit: int) -> list[dict[str, Any]]:
    """A page of key records by id, without wrapped bytes."""
    rows = models.KeyRecord.objects.filter(id__gt=key).order_by("id")
    columns = ("id", "kind", "environment__name", "stream", "day", "node__name", "commitment", "state")
    return [
        dict(zip(("id", "kind", "environment", "stream", "day", "node", "commitment", "state"), row, strict=True))
        for row in rows.values_list(*columns)[:limit]
    ]


def person_ids_after(person: str, limit: int) -> list[str]:
    """A page of the opaque ids of persons who are not closed."""
    rows = models.Person.objects.filter(id__gt=person, closed=False).order_by("id")
    return list(rows.values_list("id", flat=True)[:limit])


def environment_names_after(environment: str, limit: int) -> list[str]:
    """A page of environments, closed ones too: what is held of them may still be read."""
    rows = models.Environment.objects.filter(name__gt=environment).order_by("name")
    return list(rows.values_list("name", flat=True)[:limit])


def events_after(row: int, limit: int) -> Sequence[tuple[int, int, str | None, str, bytes, bytes, str, int | None]]:
    """A page of events: row, number, environment, previous, salt, canonical JSON, commitment, log index."""
    rows = models.Event.objects.filter(id__gt=row).order_by("id")
    columns = ("id", "number", "environment__name", "previous", "salt", "json", "commitment", "log_entry__index")
    return list(rows.values_list(*columns)[:limit])
