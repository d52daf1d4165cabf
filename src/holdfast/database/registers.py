"""The register as a whole: applied by document, numbered by version, begun with the platform's own places."""

from collections.abc import Callable

from holdfast.database import models
from holdfast.database.applying import Change, apply_places
from holdfast.database.applyingpeople import apply_people
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import UNCLAIMED
from holdfast.rules.places import PLATFORM, Register


def apply_register(register: Register, digest: str, at: Instant, new_id: Callable[[], str]) -> tuple[int, list[Change]]:
    """Make the register equal to the document; its version and what changed. Within the caller's transaction.

    Nothing changed, no new version.
    """
    changes = apply_places(register) + apply_people(register, new_id)
    version = register_version()
    if changes:
        version += 1
        models.RegisterVersion.objects.create(number=version, digest=digest, at=at)
    return version, changes


def register_version() -> int:
    """The register's version; 0 before the first document."""
    last = models.RegisterVersion.objects.order_by("-number").values_list("number", flat=True).first()
    return last or 0


def begin_register() -> None:
    """The platform's own customer, project and `platform/unclaimed`, which lies on every hosting. Repeatable."""
    customer, _ = models.Customer.objects.get_or_create(name=PLATFORM, defaults={"title": "The platform"})
    project, _ = models.Project.objects.get_or_create(name=PLATFORM, defaults={"customer": customer})
    models.Environment.objects.get_or_create(
        name=UNCLAIMED, defaults={"project": project, "vendor": PLATFORM, "region": "any"}
    )


def host_map() -> dict[str, object]:
    """What nodes place lines by: open environments with their hosting, host names, stream rules, version."""
    environments = models.Environment.objects.filter(closed=False)
    hosts = models.HostName.objects.filter(environment__closed=False)
    return {
        "environments": {row.name: f"{row.vendor}/{row.region}" for row in environments},
        "hosts": dict(hosts.values_list("name", "environment__name")),
        "rules": list(models.StreamRule.objects.order_by("position").values("host", "program", "stream")),
        "version": register_version(),
    }
