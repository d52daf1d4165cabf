"""The register applied: idempotent, names never used again, SSH keys never given away, persons who come back."""

import copy
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.support.keepers import NOW, register, ssh_key

from holdfast.kernel.errors import ConflictError
from holdfast.rules.places import parse_register

if register:  # after Django is set up
    from django.db import transaction

    from holdfast.database import models
    from holdfast.database.opening import close_database, open_database
    from holdfast.database.registers import apply_register, begin_register, register_version

numbers = count()


@pytest.fixture(scope="module", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("database") / "keeper.sqlite3"
    open_database(path)
    begin_register()
    yield path
    close_database()


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    with transaction.atomic():
        apply(register())
        yield
        transaction.set_rollback(True)


def apply(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    register = parse_register(document)
    _, changes = apply_register(register, "ab" * 32, NOW, lambda: f"p_{next(numbers):016x}")
    return [(change.what, change.name, change.change) for change in changes]


def changed(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(register()), **more}


def test_applying_the_same_document_again_changes_nothing() -> None:
    version = register_version()
    assert apply(register()) == []
    assert register_version() == version


def test_what_changed_is_said_with_persons_by_opaque_id() -> None:
    document = changed()
    document["people"]["ada"]["name"] = "Ada Lovelace"
    document["people"]["new"] = {"name": "New", "keys": [ssh_key("new")[0]], "memberships": {"acme": "owner"}}
    document["customers"]["acme"]["projects"]["acme"]["environments"]["stage"] = {"hosting": "ovh/gra"}
    document["streams"] = []
    found = apply(document)
    assert {(what, change) for what, _, change in found} == {
        ("person", "changed"),
        ("person", "added"),
        ("ssh-key", "added"),
        ("memberships", "changed"),
        ("environment", "added"),
        ("streams", "changed"),
    }
    assert not any("ada" in name or "new" in name for _, name, _ in found)
    assert apply(document) == []


def test_a_closed_name_is_never_used_again() -> None:
    document = changed()
    del document["customers"]["globex"], document["people"]["grace"]["memberships"]
    found = apply(document)
    assert {
        ("customer", "globex", "closed"),
        ("project", "globex", "closed"),
        ("environment", "globex/main", "closed"),
    } <= set(found)
    with pytest.raises(ConflictError, match="name-closed"):
        apply(register())


def test_an_environment_stays_on_its_hosting_and_a_project_with_its_customer() -> None:
    document = changed()
    document["customers"]["acme"]["projects"]["acme"]["environments"]["main"]["hosting"] = "ovh/gra"
    with pytest.raises(ConflictError, match="hosting-fixed"):
        apply(document)
    document = changed()
    document["customers"]["globex"]["projects"].update(document["customers"]["acme"].pop("projects"))
    with pytest.raises(ConflictError, match="project-moved"):
        apply(document)


def test_a_person_who_comes_back_is_the_same_person_with_the_same_keys() -> None:
    before = models.Person.objects.get(handle="ada").id
    document = changed()
    del document["people"]["ada"]
    assert ("person", before, "closed") in apply(document)
    assert not models.SshKey.objects.filter(person=before, active=True).exists()
    apply(register())
    person = models.Person.objects.get(handle="ada")
    assert (person.id, person.closed) == (before, False)
    assert models.SshKey.objects.filter(person=before, active=True).count() == 1


def test_a_removed_ssh_key_is_not_given_to_somebody_else() -> None:
    document = changed()
    document["people"]["ada"]["keys"] = []
    apply(document)
    document["people"]["dana"]["keys"] = [ssh_key("ada")[0]]
    with pytest.raises(ConflictError, match="ssh-key-taken"):
        apply(document)


def test_a_host_name_moves_with_the_document() -> None:
    document = changed()
    document["customers"]["acme"]["projects"]["acme"]["environments"]["main"]["hosts"] = []
    document["customers"]["globex"]["projects"]["globex"]["environments"]["main"]["hosts"] = ["web1.acme.example"]
    assert set(apply(document)) == {("host", "web1.acme.example", "changed"), ("host", "web1.globex.example", "closed")}


def test_the_operations_team_can_be_another_one() -> None:
    document = changed()
    document["staff"]["teams"]["support"]["operations"] = True
    document["staff"]["teams"]["operations"]["operations"] = False
    assert set(apply(document)) == {("team", "support", "changed"), ("team", "operations", "changed")}
    del document["staff"]["teams"]["operations"]
    assert apply(document) == [("team", "operations", "closed")]
