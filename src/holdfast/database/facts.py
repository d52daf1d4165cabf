"""What decisions rest on, read from the register (access.ports.Facts)."""

from holdfast.database import models
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

    def environment(self, environment: EnvironmentName) -> EnvironmentFacts | None:
        """An environment, closed or not: what is held of it may still be read."""
        row = models.Environment.objects.select_related("project__customer").filter(name=environment).first()
        if row is None:
            return None
        teams = models.Relevance.objects.filter(environment=row).values_list("team__name", flat=True)
        return EnvironmentFacts(environment, row.project.customer.name, f"{row.vendor}/{row.region}", frozenset(teams))

    def node(self, node: NodeName) -> NodeFacts | None:
        """An announced node."""
        row = models.Node.objects.filter(name=node).first()
        return NodeFacts(node, f"{row.vendor}/{row.region}") if row else None
