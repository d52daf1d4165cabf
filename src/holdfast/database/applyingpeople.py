"""People, their SSH keys and memberships, and the staff's teams, made equal to a document.

A person left out is closed and their SSH keys are no longer active; put back, they are the same person. An SSH key is
never given to somebody else.
"""

from collections.abc import Callable, Mapping

from holdfast.database import models
from holdfast.database.applying import Change
from holdfast.kernel.errors import ConflictError
from holdfast.rules.places import PersonPlan, Register, TeamPlan


def apply_people(register: Register, new_id: Callable[[], str]) -> list[Change]:
    """Persons with keys and memberships, then teams, as the document has them.

    ConflictError `ssh-key-taken` for a key that is, or was, another person's.
    """
    held = {row.handle: row for row in models.Person.objects.all()}
    changes = []
    for handle, plan in register.people.items():
        row = held.get(handle)
        if row is None:
            row = models.Person.objects.create(id=new_id(), handle=handle, name=plan.name, email=plan.email)
            changes.append(Change("person", row.id, "added"))
            held[handle] = row
        elif (row.name, row.email, row.closed) != (plan.name, plan.email, False):
            row.name, row.email, row.closed = plan.name, plan.email, False
            row.save()
            changes.append(Change("person", row.id, "changed"))
        changes += _keys(row, plan) + _memberships(row, plan)
    for handle, row in held.items():
        if handle not in register.people and not row.closed:
            row.closed = True
            row.save()
            models.SshKey.objects.filter(person=row).update(active=False)
            models.Membership.objects.filter(person=row).delete()
            changes.append(Change("person", row.id, "closed"))
    return changes + _teams(register.teams, held)


def _keys(person: models.Person, plan: PersonPlan) -> list[Change]:
    changes = []
    held = {row.fingerprint: row for row in models.SshKey.objects.filter(person=person)}
    for fingerprint, key in plan.keys.items():
        row = held.get(fingerprint)
        if row is None:
            if models.SshKey.objects.filter(fingerprint=fingerprint).exists():
                raise ConflictError(
                    "ssh-key-taken", "an SSH key belongs to one person for ever", fingerprint=fingerprint
                )
            models.SshKey.objects.create(fingerprint=fingerprint, person=person, text=key.text)
            changes.append(Change("ssh-key", fingerprint, "added"))
        elif not row.active:
            row.active = True
            row.save()
            changes.append(Change("ssh-key", fingerprint, "added"))
    for fingerprint, row in held.items():
        if fingerprint not in plan.keys and row.active:
            row.active = False
            row.save()
            changes.append(Change("ssh-key", fingerprint, "closed"))
    return changes


def _memberships(person: models.Person, plan: PersonPlan) -> list[Change]:
    wanted = {customer: role.value for customer, role in plan.memberships.items()}
    held = dict(models.Membership.objects.filter(person=person).values_list("customer__name", "role"))
    if wanted == held:
        return []
    models.Membership.objects.filter(person=person).delete()
    for customer, role in wanted.items():
        models.Membership.objects.create(person=person, customer=models.Customer.objects.get(name=customer), role=role)
    return [Change("memberships", person.id, "changed")]


def _teams(teams: Mapping[str, TeamPlan], people: Mapping[str, models.Person]) -> list[Change]:
    changes = []
    for row in models.Team.objects.exclude(name__in=list(teams)):
        changes.append(Change("team", row.name, "closed"))
        row.delete()
    before = {row.name: _team_now(row) for row in models.Team.objects.all()}
    # Two passes: the operations team may pass from one team to another, and only one may be it at a time.
    models.Team.objects.filter(name__in=[team.name for team in teams.values() if not team.operations]).update(
        operations=False
    )
    for plan in teams.values():
        members = {people[handle].id for handle in plan.members}
        wanted = (plan.operations, members, {str(name) for name in plan.environments})
        if before.get(plan.name) == wanted:
            continue
        held, added = models.Team.objects.update_or_create(name=plan.name, defaults={"operations": plan.operations})
        _refill(held, wanted[1], wanted[2])
        changes.append(Change("team", plan.name, "added" if added else "changed"))
    return changes


def _team_now(team: models.Team) -> tuple[bool, set[str], set[str]]:
    return (
        team.operations,
        set(models.TeamMember.objects.filter(team=team).values_list("staff__person_id", flat=True)),
        set(models.Relevance.objects.filter(team=team).values_list("environment__name", flat=True)),
    )


def _refill(team: models.Team, members: set[str], environments: set[str]) -> None:
    models.TeamMember.objects.filter(team=team).delete()
    models.Relevance.objects.filter(team=team).delete()
    for person in sorted(members):
        staff, _ = models.Staff.objects.get_or_create(person_id=person)
        models.TeamMember.objects.create(team=team, staff=staff)
    for environment in models.Environment.objects.filter(name__in=environments):
        models.Relevance.objects.create(team=team, environment=environment)
