"""The register made equal to a document, in the caller's transaction.

Names are never used again: what the document leaves out is closed, not deleted, and a closed name is refused. Persons
come back as who they were. Changes tell persons by opaque id.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.database import models
from holdfast.kernel.errors import ConflictError
from holdfast.rules.places import PLATFORM, EnvironmentPlan, Register


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed: what it is, its name, and `added`, `changed` or `closed`."""

    what: str
    name: str
    change: str


def apply_places(register: Register) -> list[Change]:
    """Customers, projects, environments, host names and stream rules as the document has them.

    ConflictError `name-closed`, `project-moved`, `hosting-fixed` for what contradicts the register as it stands.
    """
    changes = _customers(register) + _projects(register) + _environments(register.environments.values())
    changes += _hosts(register)
    return changes + _rules(register)


def _customers(register: Register) -> list[Change]:
    changes = []
    held = {row.name: row for row in models.Customer.objects.exclude(name=PLATFORM)}
    for name, title in register.customers.items():
        row = held.get(name)
        if row is None:
            models.Customer.objects.create(name=name, title=title)
            changes.append(Change("customer", name, "added"))
            continue
        _still_open("customer", name, row.closed)
        if row.title != title:
            row.title = title
            row.save()
            changes.append(Change("customer", name, "changed"))
    return changes + _close("customer", [row for row in held.values() if row.name not in register.customers])


def _projects(register: Register) -> list[Change]:
    changes = []
    held = {row.name: row for row in models.Project.objects.select_related("customer").exclude(name=PLATFORM)}
    customers = {row.name: row for row in models.Customer.objects.all()}
    for name, customer in register.projects.items():
        row = held.get(name)
        if row is None:
            models.Project.objects.create(name=name, customer=customers[customer])
            changes.append(Change("project", name, "added"))
            continue
        _still_open("project", name, row.closed)
        if row.customer.name != customer:
            raise ConflictError("project-moved", "a project stays with its customer", project=name)
    return changes + _close("project", [row for row in held.values() if row.name not in register.projects])


def _environments(plans: Iterable[EnvironmentPlan]) -> list[Change]:
    changes = []
    held = {row.name: row for row in models.Environment.objects.exclude(project__name=PLATFORM)}
    projects = {row.name: row for row in models.Project.objects.all()}
    declared = set()
    for plan in plans:
        declared.add(str(plan.name))
        row = held.get(plan.name)
        if row is None:
            models.Environment.objects.create(
                name=plan.name,
                project=projects[plan.name.partition("/")[0]],
                vendor=plan.hosting.vendor,
                region=plan.hosting.region,
            )
            changes.append(Change("environment", plan.name, "added"))
            continue
        _still_open("environment", plan.name, row.closed)
        if (row.vendor, row.region) != (plan.hosting.vendor, plan.hosting.region):
            raise ConflictError("hosting-fixed", "an environment stays on its hosting", environment=plan.name)
    return changes + _close("environment", [row for row in held.values() if row.name not in declared])


def _hosts(register: Register) -> list[Change]:
    environments = {row.name: row for row in models.Environment.objects.all()}
    wanted = {host: plan.name for plan in register.environments.values() for host in plan.hosts}
    held = dict(models.HostName.objects.values_list("name", "environment__name"))
    changes = []
    for host in sorted(held.keys() - wanted.keys()):
        models.HostName.objects.filter(name=host).delete()
        changes.append(Change("host", host, "closed"))
    for host in sorted(wanted.keys() & held.keys()):
        if held[host] != wanted[host]:
            models.HostName.objects.filter(name=host).update(environment=environments[wanted[host]])
            changes.append(Change("host", host, "changed"))
    new = sorted(wanted.keys() - held.keys())
    models.HostName.objects.bulk_create(
        [models.HostName(name=host, environment=environments[wanted[host]]) for host in new], batch_size=300
    )
    return changes + [Change("host", host, "added") for host in new]


def _rules(register: Register) -> list[Change]:
    wanted = [(rule.host, rule.program, rule.stream.value) for rule in register.streams]
    if list(models.StreamRule.objects.order_by("position").values_list("host", "program", "stream")) == wanted:
        return []
    models.StreamRule.objects.all().delete()
    models.StreamRule.objects.bulk_create(
        [
            models.StreamRule(position=at, host=host, program=program, stream=stream)
            for at, (host, program, stream) in enumerate(wanted)
        ]
    )
    return [Change("streams", "", "changed")]


def _still_open(what: str, name: str, closed: bool) -> None:
    if closed:
        raise ConflictError("name-closed", "a closed name is never used again", what=what, name=name)


def _close(what: str, rows: Iterable[models.Customer | models.Project | models.Environment]) -> list[Change]:
    changes = []
    for row in rows:
        if not row.closed:
            row.closed = True
            row.save()
            changes.append(Change(what, row.name, "closed"))
    return changes
