"""One error family per answer to "who acts next" (see docs/errors.md).

A code is stable, a message constant, the fields typed. Nothing out of a log line, no secret and no personal data
is ever put in one: fields hold counts, names of settings, object names, offsets.
"""

from collections.abc import Mapping


class HoldfastError(Exception):
    """An error with a stable code, a constant message in plain words, and fields."""

    exit_status = 70

    def __init__(self, code: str, message: str, **fields: str | int) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.fields: Mapping[str, str | int] = fields

    def __str__(self) -> str:
        where = ", ".join(f"{name}={value}" for name, value in self.fields.items())
        return f"{self.message} ({where}) [{self.code}]" if where else f"{self.message} [{self.code}]"


class MalformedError(HoldfastError):
    """The sender acts, by fixing what it sent."""

    exit_status = 65


class RefusedError(HoldfastError):
    """Nobody acts; the rules said no."""

    exit_status = 77


class ConflictError(HoldfastError):
    """The caller acts, by reading again."""

    exit_status = 75


class BusyError(HoldfastError):
    """The sender acts, later."""

    exit_status = 75


class ConfigurationError(HoldfastError):
    """The operator acts, before anything starts."""

    exit_status = 78


class VerificationError(HoldfastError):
    """The operator acts, keeping the evidence."""

    exit_status = 70


class OutcomeUnknownError(HoldfastError):
    """Recovery acts: whether the effect happened is not known."""

    exit_status = 70


FAMILIES: Mapping[str, type[HoldfastError]] = {
    "malformed": MalformedError,
    "refused": RefusedError,
    "conflict": ConflictError,
    "busy": BusyError,
    "configuration": ConfigurationError,
    "verification": VerificationError,
    "outcome-unknown": OutcomeUnknownError,
}


def family_of(error: HoldfastError) -> str:
    """The family's name, as messages between processes carry it."""
    for name, family in FAMILIES.items():
        if isinstance(error, family):
            return name
    return "outcome-unknown"
