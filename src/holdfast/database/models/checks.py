"""CHECK constraints by kind, so that a model reads as a list of what holds."""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import CheckConstraint, Q

# `\Z`, not `$`: in Python, and so in SQLite here, `$` also matches before a last line end.
WORD = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\Z"
ENVIRONMENT = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*/[a-z][a-z0-9]*(-[a-z0-9]+)*\Z"
PERSON = r"^p_[0-9a-f]{16}\Z"
KEY = r"^[0-9a-f]{32}\Z"
SHA256 = r"^[0-9a-f]{64}\Z"
COMMITMENT = r"^[A-Za-z0-9+/]{43}=\Z"
FINGERPRINT = r"^SHA256:[A-Za-z0-9+/]{43}\Z"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"


def matches(name: str, field: str, pattern: str) -> CheckConstraint:
    """The field's text matches."""
    return CheckConstraint(name=name, condition=Q(**{f"{field}__regex": pattern}))


def one_of(name: str, field: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """The field holds one of the values (or null, where the column may)."""
    return CheckConstraint(name=name, condition=Q(**{f"{field}__in": [value.value for value in values]}))
