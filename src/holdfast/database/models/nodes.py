"""Nodes, and the tokens senders show them."""

from enum import StrEnum

from django.db import models

from holdfast.database.models.checks import SHA256, WORD, matches, one_of
from holdfast.database.models.places import Environment


class TokenKind(StrEnum):
    """`sender`: lines of one environment. `recorder`: connection records of any environment."""

    SENDER = "sender"
    RECORDER = "recorder"


class Node(models.Model):
    """A node, its log's origin and its verifier keys. The name is never used again; nothing here changes."""

    name = models.CharField(max_length=63, unique=True)
    origin = models.CharField(max_length=255, unique=True)
    vkey = models.CharField(max_length=500)
    promise_vkey = models.CharField(max_length=500)
    vendor = models.CharField(max_length=49)
    region = models.CharField(max_length=49)
    opened_at = models.BigIntegerField()

    class Meta:
        constraints = (
            matches("node_name", "name", WORD),
            models.CheckConstraint(name="node_not_keeper", condition=~models.Q(name="keeper")),
            matches("node_vendor", "vendor", WORD),
            matches("node_region", "region", WORD),
            models.CheckConstraint(name="node_vkeys", condition=~models.Q(vkey="") & ~models.Q(promise_vkey="")),
        )


class IntakeToken(models.Model):
    """The SHA-256 of an intake token; the token itself is known to its sender only."""

    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=10)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True)
    active = models.BooleanField(default=True)
    made_at = models.BigIntegerField()

    class Meta:
        constraints = (
            matches("token_digest", "digest", SHA256),
            one_of("token_kind", "kind", TokenKind),
            models.CheckConstraint(
                name="token_environment",
                condition=models.Q(kind=TokenKind.SENDER.value, environment__isnull=False)
                | models.Q(kind=TokenKind.RECORDER.value, environment__isnull=True),
            ),
        )
