"""What decisions rest on, read from the register (access.ports.Facts)."""

from collections.abc import Collection, Mapping

from holdfast.database import models
from holdfast.database.keyrecords import chunks
from holdfast.kernel.names import EnvironmentName, NodeName, PersonId
from holdfast.rules.policy import EnvironmentFacts, NodeFacts, PersonFacts


class DatabaseFacts:
    """Facts as they are now: nothing is cached, so a removed SSH key or membership counts at the next question."""

    def person(self, person: PersonId) -> PersonFacts | None:
        """A person who is not closed."""
        if not models.Person.objects.filter(id=person, closed=False).exists():
            return None
        teams = list(
            models.TeamMember.objects.filter(staff__person=person).values_list("team__name", "team__operations")
        )
        return PersonFacts(
            person,
            frozenset(models.SshKey.objects.filter(person=person, active=True).values_list("fingerprint", flat=True)),
            frozenset(models.Membership.objects.filter(person=person).values_list("customer__name", flat=True)),
            frozenset(name for name, _ in teams),
            any(operations for _, operations in teams),
        )

    def person_of_ssh_key(self, fingerprint: str) -> PersonFacts | None:
        """The person an active SSH key belongs to."""
        found = models.SshKey.objects.filter(fingerprint=fingerprint, active=True).values_list("person_id", flat=True)
        person = found.first()
        return self.person(PersonId(person)) if person else None

    def environments(self, names: Collection[EnvironmentName]) -> Mapping[EnvironmentName, EnvironmentFacts]:
        """Those of the environments that are in the register, closed or not: what is held of one may still be read."""
        found: dict[EnvironmentName, EnvironmentFacts] = {}
        for part in chunks(list(names)):
            teams: dict[int, list[str]] = {}
            relevant = models.Relevance.objects.filter(environment__name__in=part)
            for environment, team in relevant.values_list("environment_id", "team__name"):
                teams.setdefault(environment, []).append(team)
            rows = models.Environment.objects.filter(name__in=part)
            columns = ("id", "name", "project__customer__name", "vendor", "region")
            for row, text, customer, vendor, region in rows.values_list(*columns):
                name = EnvironmentName(text)
                found[name] = EnvironmentFacts(name, customer, f"{vendor}/{region}", frozenset(teams.get(row, ())))
        return found

    def node(self, node: NodeName) -> NodeFacts | None:
        """An announced node."""
        row = models.Node.objects.filter(name=node).first()
        return NodeFacts(node, f"{row.vendor}/{row.region}") if row else None
