"""The register document: what it declares, and that what is wrong is named by its place and never by its value."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.keepers import register, ssh_key

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import EnvironmentName, Stream
from holdfast.kernel.segments import Hosting
from holdfast.rules.places import Role, StreamRule, parse_register

Document = dict[str, Any]


def test_a_document_declares_places_people_teams_and_rules() -> None:
    found = parse_register(register())
    plan = found.environments[EnvironmentName("acme/main")]
    assert (plan.customer, plan.hosting, plan.hosts) == ("acme", Hosting("aws", "eu-west-1"), {"web1.acme.example"})
    ada = found.people["ada"]
    assert (list(ada.keys), ada.memberships) == ([ssh_key("ada")[1]], {"acme": Role.MEMBER})
    assert found.teams["support"].environments == {"acme/main"}
    assert [name for name, team in found.teams.items() if team.operations] == ["operations"]
    assert found.streams == (StreamRule("web1.acme.example", "pgbouncer", Stream.APP),)


def test_an_empty_document_is_an_empty_register() -> None:
    assert parse_register({}).environments == {}


def acme(document: Document) -> Document:
    main: Document = document["customers"]["acme"]["projects"]["acme"]["environments"]["main"]
    return main


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d["people"]["ada"].update(nickname="A"), "people.ada.nickname"),
        (lambda d: acme(d).update(hosting="aws"), "customers.acme.projects.acme.environments.main.hosting"),
        (lambda d: acme(d).update(hosting="aws/eu--west"), "customers.acme.projects.acme.environments.main.hosting"),
        (
            lambda d: acme(d)["hosts"].append("web1.globex.example"),
            "customers.globex.projects.globex.environments.main.hosts.0",
        ),
        (lambda d: d["customers"].update({"a--b": {}}), "customers.a--b"),
        (lambda d: d["customers"].update(platform={}), "customers.platform"),
        (lambda d: d["customers"]["globex"]["projects"].update(acme={}), "customers.globex.projects.acme"),
        (lambda d: d["people"]["ada"].update(name=7), "people.ada.name"),
        (lambda d: d["people"]["ada"].update(name="A\nB"), "people.ada.name"),
        (lambda d: d["people"]["ada"].update(keys=[ssh_key("grace")[0]]), "people.grace.keys.0"),
        (lambda d: d["people"]["ada"].update(keys=["ssh-rsa secret"]), "people.ada.keys.0"),
        (lambda d: d["people"]["ada"]["memberships"].update(other="member"), "people.ada.memberships.other"),
        (lambda d: d["people"]["ada"]["memberships"].update(acme="king"), "people.ada.memberships.acme"),
        (lambda d: d["people"]["ada"]["memberships"].update(acme=[]), "people.ada.memberships.acme"),
        (lambda d: d["staff"]["teams"]["support"]["members"].append("x"), "staff.teams.support.members.1"),
        (lambda d: d["staff"]["teams"]["support"].update(environments=["a/b"]), "staff.teams.support.environments.0"),
        (lambda d: d["staff"]["teams"]["support"].update(operations=True), "staff.teams.operations"),
        (lambda d: d["staff"]["teams"]["support"].update(operations="yes"), "staff.teams.support.operations"),
        (lambda d: d["streams"].append({"program": "sshd", "stream": "system"}), "streams.1.stream"),
        (lambda d: d["streams"].append({"program": "x", "stream": "other"}), "streams.1.stream"),
        (lambda d: d["streams"].append({"stream": "app"}), "streams.1.program"),
        (lambda d: d.update(streams={}), "streams"),
        (lambda d: d.update(people=[]), "people"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: Callable[[Document], None], place: str) -> None:
    document = copy.deepcopy(register())
    change(document)
    with pytest.raises(MalformedError) as found:
        parse_register(document)
    assert found.value.fields["place"] == place
    assert "secret" not in str(found.value)
