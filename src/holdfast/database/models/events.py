"""What was recorded: events, and the entries of the keeper's log in the order they were entered.

Rows are added and never changed, but for a log index set once (migration 0002 keeps that by triggers).
"""

from django.db import models

from holdfast.database.models.checks import COMMITMENT, matches
from holdfast.database.models.places import Environment


class LogEntry(models.Model):
    """An entry of the keeper's log; `index` is null until it is known to be there."""

    entry = models.BinaryField()
    index = models.BigIntegerField(null=True, unique=True)

    class Meta:
        constraints = (models.CheckConstraint(name="log_entry_index", condition=models.Q(index__gte=0)),)


class Event(models.Model):
    """An event: the canonical JSON and the salt that the log's commitment commits to."""

    number = models.BigIntegerField()
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True)
    previous = models.CharField(max_length=44, blank=True)
    salt = models.BinaryField()
    json = models.BinaryField()
    commitment = models.CharField(max_length=44, unique=True)
    log_entry = models.OneToOneField(LogEntry, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            matches("event_commitment", "commitment", COMMITMENT),
            models.CheckConstraint(name="event_number", condition=models.Q(number__gte=0)),
            models.CheckConstraint(
                name="event_chain",
                condition=models.Q(number=0, previous="") | (models.Q(number__gt=0) & ~models.Q(previous="")),
            ),
            models.UniqueConstraint(fields=["environment", "number"], name="event_number_once"),
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(environment__isnull=True), name="event_number_once_installation"
            ),
        )
