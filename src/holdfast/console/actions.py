"""Every view names the action it is: what a person must be allowed to do to see it. One that names none is refused."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.http import HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase | Awaitable[HttpResponseBase]])

PUBLIC = frozenset({"health.read", "style.read"})
"""Actions that need no account: there are no accounts yet, and these show no line and no person."""


def action(name: str) -> Callable[[View], View]:
    """Declare a view's action."""

    def declare(view: View) -> View:
        view.action = name  # type: ignore[attr-defined]
        return view

    return declare


def action_of(view: object) -> str | None:
    """The action a view declares, or None."""
    found = getattr(view, "action", None)
    return found if isinstance(found, str) else None
