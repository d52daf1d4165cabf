"""The demo's register (docs/register.md): two customers on two hostings, a person each, and one of the staff."""

from collections.abc import Mapping

ACME, GLOBEX, UNCLAIMED = "acme/main", "globex/main", "platform/unclaimed"
PEOPLE = {"alice": ACME, "bob": GLOBEX, "olga": UNCLAIMED}
"""Who reads what."""

_REGISTER = """\
# What the demo runs, for whom, and who may read it: docs/register.md. Change it, then: holdfast apply FILE --home HOME

[customers.acme]
name = "Acme Ltd"

[customers.acme.projects.acme.environments.main]
hosting = "aws/eu-west-1"
hosts = ["web1.acme.example", "db1.acme.example"]

[customers.globex]
name = "Globex Corporation"

[customers.globex.projects.globex.environments.main]
hosting = "azure/westeurope"
hosts = ["www.globex.example", "app1.globex.example"]

[people.alice]
name = "Alice of Acme"
keys = ["{alice}"]
memberships = {{ acme = "owner" }}

[people.bob]
name = "Bob of Globex"
keys = ["{bob}"]
memberships = {{ globex = "member" }}

[people.olga]
name = "Olga of operations"
keys = ["{olga}"]

[staff.teams.operations]
members = ["olga"]
operations = true  # reads platform/unclaimed, and no customer's logs
"""


def register_text(keys: Mapping[str, str]) -> str:
    """The document; `keys` holds everybody's public key as authorized_keys has it."""
    return _REGISTER.format(**keys)
