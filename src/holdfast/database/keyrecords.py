"""Key records in the database (access.ports.KeyRecords)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import QuerySet

from holdfast.access.ports import WrappedKey
from holdfast.database import models
from holdfast.formats.wrapping import KeyRecord
from holdfast.kernel.errors import ConflictError, RefusedError
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, Stream

_COLUMNS = ("id", "kind", "environment__name", "stream", "day", "node__name", "epoch", "commitment", "wrapped")
T = TypeVar("T")
CHUNK = 500
"""Ids per statement: SQLite bounds the parameters of one."""


class DatabaseKeyRecords:
    """Reads and writes within the caller's transaction."""

    def add(self, keys: Sequence[WrappedKey]) -> None:
        """Enter new records. ConflictError if a pseudonym key of that environment and day was just made."""
        environments = ids_of_environments({key.record.environment for key in keys})
        nodes = {key.record.node for key in keys if key.record.node}
        node_ids: dict[str, int] = dict(models.Node.objects.filter(name__in=nodes).values_list("name", "id"))
        rows = [
            models.KeyRecord(
                id=key.record.id,
                kind=key.record.kind.value,
                environment_id=environments[key.record.environment],
                stream=key.record.stream.value if key.record.stream else None,
                day=key.record.day,
                node_id=node_ids[key.record.node] if key.record.node else None,
                epoch=key.record.epoch,
                wrapped=key.wrapped,
                commitment=key.record.commitment,
            )
            for key in keys
        ]
        try:
            models.KeyRecord.objects.bulk_create(rows, batch_size=CHUNK)
        except IntegrityError:
            raise ConflictError("key-exists", "the key exists already") from None

    def pseudonyms(
        self, days: Collection[tuple[EnvironmentName, Day]]
    ) -> Mapping[tuple[EnvironmentName, Day], WrappedKey]:
        """The pseudonym keys of these environments and days. RefusedError `key-destroyed` if one was destroyed."""
        found: dict[tuple[EnvironmentName, Day], WrappedKey] = {}
        wanted = set(days)
        for part in chunks(sorted({environment for environment, _ in wanted})):
            rows = models.KeyRecord.objects.filter(
                kind=KeyKind.PSEUDONYM.value, environment__name__in=part, day__in={day for _, day in wanted}
            )
            gone = rows.exclude(state=models.KeyState.ACTIVE.value, reason="")
            for environment, day in gone.values_list("environment__name", "day"):
                if (environment, day) in wanted:
                    raise RefusedError("key-destroyed", "the key was destroyed and is not made again", day=day)
            active = rows.filter(state=models.KeyState.ACTIVE.value, reason="")
            found.update(((key.record.environment, key.record.day), key) for key in wrapped_keys(active))
        return found

    def active(self, ids: Sequence[KeyId]) -> Mapping[KeyId, WrappedKey]:
        """Those of the keys that are neither destroyed nor waiting to be."""
        return {key.record.id: key for part in chunks(ids) for key in wrapped_keys(usable().filter(id__in=part))}

    def mark(self, ids: Sequence[KeyId], reason: str) -> Sequence[KeyRecord]:
        """Make keys wait for destruction; the records of those not marked or destroyed before."""
        marked = self.active(ids)
        for part in chunks(list(marked)):
            models.KeyRecord.objects.filter(id__in=part).update(reason=reason)
        return [key.record for key in marked.values()]

    def marked(self) -> Mapping[KeyId, str]:
        """The keys that wait for destruction, with the reason."""
        rows = models.KeyRecord.objects.filter(state=models.KeyState.ACTIVE.value).exclude(reason="")
        return {KeyId(name): reason for name, reason in rows.values_list("id", "reason")}

    def destroy(self, ids: Sequence[KeyId], at: Instant) -> Sequence[KeyRecord]:
        """Delete the wrapped bytes for good; the records of those not destroyed before."""
        gone: list[KeyRecord] = []
        for part in chunks(ids):
            rows = models.KeyRecord.objects.filter(id__in=part, state=models.KeyState.ACTIVE.value)
            gone += [key.record for key in wrapped_keys(rows)]
            rows.update(state=models.KeyState.DESTROYED.value, wrapped=None, destroyed_at=at)
        return gone


def node_keys(ids: Sequence[KeyId], node: NodeName, kinds: Sequence[KeyKind]) -> set[str]:
    """Those of the ids that are keys of these kinds made for the node, destroyed or not."""
    known: set[str] = set()
    for part in chunks(ids):
        rows = models.KeyRecord.objects.filter(id__in=part, node__name=node, kind__in=[kind.value for kind in kinds])
        known.update(rows.values_list("id", flat=True))
    return known


def usable() -> "QuerySet[models.KeyRecord]":
    """Records of keys that may be handed out."""
    return models.KeyRecord.objects.filter(state=models.KeyState.ACTIVE.value, reason="")


def wrapped_keys(rows: "QuerySet[models.KeyRecord]") -> Iterator[WrappedKey]:
    """The records of active rows with their wrapped bytes."""
    for name, kind, environment, stream, day, node, epoch, commitment, wrapped in rows.values_list(*_COLUMNS):
        record = KeyRecord(
            KeyId(name),
            KeyKind(kind),
            EnvironmentName(environment),
            Stream(stream) if stream else None,
            Day(day),
            NodeName(node) if node else None,
            epoch,
            commitment,
        )
        yield WrappedKey(record, bytes(wrapped))


def ids_of_environments(names: Iterable[str]) -> dict[str, int]:
    """Row numbers of environments by name; RefusedError `environment-unknown` for one that is not there."""
    found: dict[str, int] = {}
    wanted = sorted(names)
    for part in chunks(wanted):
        found.update(models.Environment.objects.filter(name__in=part).values_list("name", "id"))
    for name in wanted:
        if name not in found:
            raise RefusedError("environment-unknown", "the environment is not in the register", environment=name)
    return found


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in parts that fit one statement."""
    for at in range(0, len(items), CHUNK):
        yield items[at : at + CHUNK]
