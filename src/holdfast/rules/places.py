"""The register document → who rents what, where it lives, and who the people are (docs/register.md).

`parse_register` looks only at the document: that every name it uses is declared in it, and that nothing contradicts
itself. What contradicts the register as it stands (a closed name, a key of somebody else) is the database's to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from holdfast.formats.sshkeys import SshPublicKey, parse_public_key
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import SSHD, EnvironmentName, Stream, environment_name
from holdfast.kernel.segments import Hosting
from holdfast.rules.documents import Table, malformed, printable, word

PLATFORM = "platform"
"""The installation's own customer and project; its environment `unclaimed` takes what maps nowhere."""
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?\Z", re.ASCII)


class Role(StrEnum):
    """What a person is to a customer."""

    MEMBER = "member"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class StreamRule:
    """Lines of `program` (from `host`, or from anywhere) belong to `stream`. Which of several wins is
    `rules.streams`' to say."""

    host: str | None
    program: str
    stream: Stream


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """An environment as declared."""

    name: EnvironmentName
    customer: str
    hosting: Hosting
    hosts: frozenset[str]


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """A person as declared. The handle is the document's own word; the opaque id is given by the keeper."""

    handle: str
    name: str
    email: str
    keys: Mapping[str, SshPublicKey]
    memberships: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """A staff team as declared."""

    name: str
    operations: bool
    members: frozenset[str]
    environments: frozenset[EnvironmentName]


@dataclass(frozen=True, slots=True)
class Register:
    """The whole document, checked. `customers` maps names to display names, `projects` projects to customers."""

    customers: Mapping[str, str]
    projects: Mapping[str, str]
    environments: Mapping[EnvironmentName, EnvironmentPlan]
    people: Mapping[str, PersonPlan]
    teams: Mapping[str, TeamPlan]
    streams: tuple[StreamRule, ...]


def parse_register(document: object) -> Register:
    """The register a document declares. MalformedError names the place, never the value."""
    top = Table(document)
    customers, projects, environments = _customers(top.table("customers"))
    people = _people(top.table("people"), customers)
    staff = top.table("staff")
    teams = _teams(staff.table("teams"), people, environments)
    staff.end()
    rules = tuple(_rule(row) for row in top.rows("streams", 1000))
    top.end()
    return Register(customers, projects, environments, people, teams, rules)


def _customers(
    table: Table,
) -> tuple[dict[str, str], dict[str, str], dict[EnvironmentName, EnvironmentPlan]]:
    customers: dict[str, str] = {}
    projects: dict[str, str] = {}
    environments: dict[EnvironmentName, EnvironmentPlan] = {}
    hosts: set[str] = set()
    for customer, value, place in table.members(1000):
        _not_platform(customer, place)
        one = Table(value, place)
        customers[customer] = one.optional_text("name") or customer
        for project, inner, inner_place in one.table("projects").members(1000):
            _not_platform(project, inner_place)
            if project in projects:
                raise malformed(inner_place, "a project name is unique in the installation")
            projects[project] = customer
            declared = Table(inner, inner_place)
            for name, plan, plan_place in declared.table("environments").members(1000):
                full = environment_name(f"{project}/{name}")
                environments[full] = _environment(Table(plan, plan_place), full, customer, hosts)
            declared.end()
        one.end()
    if len(environments) > 10_000:
        raise malformed("customers", "at most 10000 environments are possible")
    return customers, projects, environments


def _environment(table: Table, name: EnvironmentName, customer: str, hosts: set[str]) -> EnvironmentPlan:
    hosting = parse_hosting(table.text("hosting"), table.place("hosting"))
    own = set()
    for host, place in table.texts("hosts", 10_000):
        if not _HOST.match(host):
            raise malformed(place, "a host name is letters, digits, dots, hyphens and underscores")
        if host in hosts:
            raise malformed(place, "a host name belongs to one environment")
        hosts.add(host)
        own.add(host)
    if len(hosts) > 100_000:
        raise malformed("customers", "at most 100000 host names are possible")
    table.end()
    return EnvironmentPlan(name, customer, hosting, frozenset(own))


def parse_hosting(text: str, place: str = "hosting") -> Hosting:
    """`vendor/region`, two words."""
    vendor, _, region = text.partition("/")
    return Hosting(word(vendor, place), word(region, place))


def _people(table: Table, customers: Mapping[str, str]) -> dict[str, PersonPlan]:
    people: dict[str, PersonPlan] = {}
    taken: set[str] = set()
    for handle, value, place in table.members(10_000):
        one = Table(value, place)
        keys: dict[str, SshPublicKey] = {}
        for line, line_place in one.texts("keys", 32):
            key = _ssh_key(line, line_place)
            if key.fingerprint in taken:
                raise malformed(line_place, "an SSH key belongs to one person", "ssh-key-taken")
            taken.add(key.fingerprint)
            keys[key.fingerprint] = key
        memberships: dict[str, Role] = {}
        for customer, role, role_place in one.table("memberships").members(1000):
            if customer not in customers:
                raise malformed(role_place, "this customer is not declared")
            if role not in tuple(Role):
                raise malformed(role_place, "a role is member or owner")
            memberships[customer] = Role(role)
        people[handle] = PersonPlan(handle, one.text("name"), one.optional_text("email", 254), keys, memberships)
        one.end()
    return people


def _ssh_key(line: str, place: str) -> SshPublicKey:
    try:
        return parse_public_key(line)
    except MalformedError as error:
        raise malformed(place, error.message, error.code) from None


def _teams(
    table: Table, people: Mapping[str, PersonPlan], environments: Mapping[EnvironmentName, EnvironmentPlan]
) -> dict[str, TeamPlan]:
    teams: dict[str, TeamPlan] = {}
    for name, value, place in table.members(1000):
        one = Table(value, place)
        members, relevant = set(), set()
        for handle, at in one.texts("members", 10_000):
            if handle not in people:
                raise malformed(at, "this person is not declared")
            members.add(handle)
        for text, at in one.texts("environments", 10_000):
            if text not in environments:
                raise malformed(at, "this environment is not declared")
            relevant.add(EnvironmentName(text))
        teams[name] = TeamPlan(name, one.flag("operations"), frozenset(members), frozenset(relevant))
        one.end()
        if sum(team.operations for team in teams.values()) > 1:
            raise malformed(place, "one team is the operations team")
    return teams


def _rule(row: Table) -> StreamRule:
    program = printable(row.text("program"), row.place("program"), 100)
    stream, place = row.text("stream"), row.place("stream")
    host = row.optional_text("host", 255) or None
    if stream not in tuple(Stream):
        raise malformed(place, "a stream is app, system, web-access or ssh-access")
    if program in SSHD and stream != Stream.SSH_ACCESS:
        raise malformed(place, "the lines of sshd belong to ssh-access")
    row.end()
    return StreamRule(host, program, Stream(stream))


def _not_platform(name: str, place: str) -> None:
    if name == PLATFORM:
        raise malformed(place, "the name platform is the installation's own")
