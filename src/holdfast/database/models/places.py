"""Who rents and where it runs: customers, projects, environments, host names, stream rules.

Names are never used again: rows are closed, not deleted.
"""

from django.db import models

from holdfast.database.models.checks import ENVIRONMENT, WORD, matches, one_of
from holdfast.kernel.names import SSHD, Stream


class Customer(models.Model):
    """An organisation that rents."""

    name = models.CharField(max_length=49, unique=True)
    title = models.CharField(max_length=200)
    closed = models.BooleanField(default=False)

    class Meta:
        constraints = (matches("customer_name", "name", WORD),)


class Project(models.Model):
    """`acme` of `acme/main`; its name is unique in the installation."""

    name = models.CharField(max_length=49, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    closed = models.BooleanField(default=False)

    class Meta:
        constraints = (matches("project_name", "name", WORD),)


class Environment(models.Model):
    """`acme/main`, on the hosting it keeps for ever."""

    name = models.CharField(max_length=100, unique=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    vendor = models.CharField(max_length=49)
    region = models.CharField(max_length=49)
    closed = models.BooleanField(default=False)

    class Meta:
        constraints = (
            matches("environment_name", "name", ENVIRONMENT),
            matches("environment_vendor", "vendor", WORD),
            matches("environment_region", "region", WORD),
        )


class HostName(models.Model):
    """A syslog host name and the one environment its lines belong to."""

    name = models.CharField(max_length=255, unique=True)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE)

    class Meta:
        constraints = (matches("host_name", "name", r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z"),)


class StreamRule(models.Model):
    """One rule of the stream map, as the document orders them."""

    position = models.PositiveIntegerField(unique=True)
    host = models.CharField(max_length=255, null=True)  # null is "any host", empty would be a host
    program = models.CharField(max_length=100)
    stream = models.CharField(max_length=10)

    class Meta:
        constraints = (
            one_of("stream_rule_stream", "stream", Stream),
            models.CheckConstraint(
                name="stream_rule_sshd",
                condition=~models.Q(program__in=list(SSHD)) | models.Q(stream=Stream.SSH_ACCESS.value),
            ),
        )


class RegisterVersion(models.Model):
    """A version of the register: which document made it, when (nanoseconds, UTC)."""

    number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64)
    at = models.BigIntegerField()
