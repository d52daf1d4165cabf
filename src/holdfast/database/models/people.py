"""Persons, what they are to customers, their SSH keys; the platform's staff and teams."""

from django.db import models

from holdfast.database.models.checks import FINGERPRINT, PERSON, WORD, matches, one_of
from holdfast.database.models.places import Customer, Environment
from holdfast.rules.places import Role


class Person(models.Model):
    """A human who logs in. Everywhere else only the opaque id stands for them."""

    id = models.CharField(max_length=18, primary_key=True)
    handle = models.CharField(max_length=49, unique=True)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, blank=True)
    closed = models.BooleanField(default=False)

    class Meta:
        constraints = (matches("person_id", "id", PERSON), matches("person_handle", "handle", WORD))


class Membership(models.Model):
    """A person belongs to a customer."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    role = models.CharField(max_length=10)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "customer"], name="membership_once"),
            one_of("membership_role", "role", Role),
        )


class SshKey(models.Model):
    """An SSH public key. It belongs to one person for ever: removed, it is no longer active but stays theirs."""

    fingerprint = models.CharField(max_length=50, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    text = models.CharField(max_length=8192)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = (matches("ssh_key_fingerprint", "fingerprint", FINGERPRINT),)


class Staff(models.Model):
    """A person of the platform's."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT)


class Team(models.Model):
    """A group of staff; one of them may be the operations team."""

    name = models.CharField(max_length=49, unique=True)
    operations = models.BooleanField(default=False)

    class Meta:
        constraints = (
            matches("team_name", "name", WORD),
            models.UniqueConstraint(
                fields=["operations"], condition=models.Q(operations=True), name="team_operations_once"
            ),
        )


class TeamMember(models.Model):
    """A member of staff in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["team", "staff"], name="team_member_once"),)


class Relevance(models.Model):
    """A team is relevant to an environment."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["team", "environment"], name="relevance_once"),)
