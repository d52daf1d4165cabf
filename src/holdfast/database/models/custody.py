"""Key records and the catalogue of sealed segments.

That the segments of one (environment, stream, node) do not overlap, and that a destroyed key stays destroyed, is kept
by triggers (SQLite) or an exclusion constraint (PostgreSQL): see migration 0002.
"""

from enum import StrEnum

from django.db import models
from django.db.models import F, Q

from holdfast.database.models.checks import COMMITMENT, DAY, KEY, SHA256, matches, one_of
from holdfast.database.models.nodes import Node
from holdfast.database.models.places import Environment
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import Stream


class KeyState(StrEnum):
    """Whether a key's wrapped bytes are there."""

    ACTIVE = "active"
    DESTROYED = "destroyed"


class KeyRecord(models.Model):
    """A data key's record. With `reason` set and still active it waits for its last lease to end."""

    id = models.CharField(max_length=32, primary_key=True)
    kind = models.CharField(max_length=10)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT)
    stream = models.CharField(max_length=10, null=True)  # null for a pseudonym key
    day = models.CharField(max_length=10)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, null=True)
    epoch = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    commitment = models.CharField(max_length=44, unique=True)
    state = models.CharField(max_length=10, default=KeyState.ACTIVE.value)
    reason = models.CharField(max_length=20, blank=True, default="")
    destroyed_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            matches("key_id", "id", KEY),
            matches("key_day", "day", DAY),
            matches("key_commitment", "commitment", COMMITMENT),
            one_of("key_kind", "kind", KeyKind),
            one_of("key_stream", "stream", Stream),
            models.CheckConstraint(
                name="key_wrapped_while_active",
                condition=Q(state=KeyState.ACTIVE.value, wrapped__isnull=False, destroyed_at__isnull=True)
                | (Q(state=KeyState.DESTROYED.value, wrapped__isnull=True, destroyed_at__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="key_pseudonym_of_a_day",
                condition=Q(kind=KeyKind.PSEUDONYM.value, stream__isnull=True, node__isnull=True)
                | (~Q(kind=KeyKind.PSEUDONYM.value) & Q(stream__isnull=False, node__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["environment", "day"], condition=Q(kind=KeyKind.PSEUDONYM.value), name="key_pseudonym_once"
            ),
        )
        indexes = (
            models.Index(fields=["environment", "stream", "kind", "day"], name="key_place"),
            models.Index(fields=["reason"], condition=Q(state="active") & ~Q(reason=""), name="key_waiting"),
        )


class Segment(models.Model):
    """One sealed segment. Times are nanoseconds since the epoch, lengths bytes."""

    name = models.CharField(max_length=255, unique=True)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT)
    stream = models.CharField(max_length=10)
    node = models.ForeignKey(Node, on_delete=models.PROTECT)
    day = models.CharField(max_length=10)
    first = models.BigIntegerField()
    count = models.BigIntegerField()
    arrival_min = models.BigIntegerField()
    arrival_max = models.BigIntegerField()
    text_bytes = models.BigIntegerField()
    clear_bytes = models.BigIntegerField()
    key = models.OneToOneField(KeyRecord, on_delete=models.PROTECT)
    object_bytes = models.BigIntegerField()
    object_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = (
            one_of("segment_stream", "stream", Stream),
            matches("segment_day", "day", DAY),
            matches("segment_sha256", "object_sha256", SHA256),
            models.CheckConstraint(name="segment_lines", condition=Q(first__gte=0, count__gt=0)),
            models.CheckConstraint(name="segment_arrivals", condition=Q(arrival_min__lte=F("arrival_max"))),
            models.CheckConstraint(
                name="segment_lengths", condition=Q(text_bytes__gte=0, clear_bytes__gte=0, object_bytes__gt=0)
            ),
            models.UniqueConstraint(fields=["environment", "stream", "node", "first"], name="segment_first"),
        )
        indexes = (models.Index(fields=["environment", "stream", "day"], name="segment_place"),)
