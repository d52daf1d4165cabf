"""What the database refuses, whoever asks it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import keepers  # sets Django up

if keepers:  # after Django is set up
    from django.db import IntegrityError, transaction

    from holdfast.database import models
    from holdfast.database.opening import close_database, open_database
    from holdfast.database.registers import begin_register

KEY = {"kind": "segment", "stream": "app", "day": "2026-11-24", "epoch": 1, "wrapped": b"w"}


@pytest.fixture(scope="module", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("database") / "keeper.sqlite3"
    open_database(path)
    begin_register()
    customer = models.Customer.objects.create(name="acme", title="Acme")
    project = models.Project.objects.create(name="acme", customer=customer)
    models.Environment.objects.create(name="acme/main", project=project, vendor="aws", region="eu-west-1")
    models.Node.objects.create(
        name="n1", origin="o/n1", vkey="v", promise_vkey="p", vendor="aws", region="eu-west-1", opened_at=0
    )
    models.Person.objects.create(id="p_" + "0" * 16, handle="ada", name="Ada")
    yield path
    close_database()


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def environment() -> Any:
    return models.Environment.objects.get(name="acme/main")


def key(number: int = 1, **more: Any) -> Any:
    values = {**KEY, "environment": environment(), "node": models.Node.objects.get(), **more}
    commitment = f"{number:043d}="
    return models.KeyRecord.objects.create(**{"id": f"{number:032x}", "commitment": commitment, **values})


def segment(number: int, first: int, count: int, **more: Any) -> Any:
    values = {
        "name": f"segments/{number}",
        "environment": environment(),
        "stream": "app",
        "node": models.Node.objects.get(),
        "day": "2026-11-24",
        "arrival_min": 1,
        "arrival_max": 2,
        "text_bytes": 0,
        "clear_bytes": 0,
        "key": key(number),
        "object_bytes": 1,
        "object_sha256": "ab" * 32,
    }
    return models.Segment.objects.create(**{**values, "first": first, "count": count, **more})


def environment_named(name: str) -> Any:
    project = models.Project.objects.get(name="acme")
    return models.Environment.objects.create(name=name, project=project, vendor="aws", region="eu-west-1")


def person(identity: str = "p_" + "1" * 16, handle: str = "bob") -> Any:
    return models.Person.objects.create(id=identity, handle=handle, name="B")


def ssh_key(fingerprint: str) -> Any:
    owner = models.Person.objects.get(handle="ada")
    return models.SshKey.objects.create(fingerprint=fingerprint, person=owner, text="t")


def token(kind: str, place: Any) -> Any:
    return models.IntakeToken.objects.create(digest="ab" * 32, label="l", kind=kind, environment=place, made_at=0)


def event(number: int, previous: str, commitment: str = "c" * 43 + "=", place: Any = None) -> Any:
    entry = models.LogEntry.objects.create(entry=b"e")
    return models.Event.objects.create(
        number=number,
        previous=previous,
        salt=b"s",
        json=b"{}",
        commitment=commitment,
        log_entry=entry,
        environment=place,
    )


REFUSED: dict[str, Callable[[], Any]] = {
    "an environment name with --": lambda: environment_named("acme/a--b"),
    "an environment name with a line end": lambda: environment_named("acme/b\n"),
    "an environment name twice": lambda: environment_named("acme/main"),
    "a customer name with a capital": lambda: models.Customer.objects.create(name="Acme", title=""),
    "a person with a telling id": lambda: person("ada-lovelace"),
    "a handle twice": lambda: person(handle="ada"),
    "a fingerprint that is none": lambda: ssh_key("MD5:00"),
    "an SSH key twice": lambda: [ssh_key("SHA256:" + "a" * 43) for _ in range(2)],
    "two operations teams": lambda: [models.Team.objects.create(name=name, operations=True) for name in ("a", "b")],
    "a membership of no known role": lambda: models.Membership.objects.create(
        person=models.Person.objects.get(), customer=models.Customer.objects.get(name="acme"), role="king"
    ),
    "sshd mapped to system": lambda: models.StreamRule.objects.create(position=1, program="sshd", stream="system"),
    "a stream that is none": lambda: models.StreamRule.objects.create(position=1, program="x", stream="y"),
    "a sender's token of no environment": lambda: token("sender", None),
    "a recorder's token of an environment": lambda: token("recorder", environment()),
    "a node called keeper": lambda: models.Node.objects.create(
        name="keeper", origin="o", vkey="v", promise_vkey="p", vendor="a", region="b", opened_at=0
    ),
    "a destroyed key with wrapped bytes": lambda: key(state="destroyed", reason="retention", destroyed_at=1),
    "a destroyed key without a reason": lambda: key(state="destroyed", wrapped=None, destroyed_at=1),
    "an active key without wrapped bytes": lambda: key(wrapped=None),
    "a key of no known state": lambda: key(state="lost"),
    "a segment key without a stream": lambda: key(stream=None),
    "a pseudonym key of a node": lambda: key(kind="pseudonym", stream=None),
    "a day's pseudonym key twice": lambda: [key(n, kind="pseudonym", stream=None, node=None) for n in (1, 2)],
    "overlapping segments, behind": lambda: [segment(1, 10, 10), segment(2, 19, 1)],
    "overlapping segments, before": lambda: [segment(1, 10, 10), segment(2, 0, 11)],
    "overlapping segments, around": lambda: [segment(1, 10, 10), segment(2, 0, 100)],
    "an empty segment": lambda: segment(1, 0, 0),
    "a segment that ends before it begins": lambda: segment(1, 0, 1, arrival_max=0),
    "an event of a chain twice": lambda: [event(0, "", "c" * 43 + "="), event(0, "", "d" * 43 + "=")],
    "a later event without the commitment before": lambda: event(1, ""),
    "a first event with a commitment before": lambda: event(0, "c" * 43 + "="),
    "an event changed": lambda: (event(0, ""), models.Event.objects.update(json=b"{1}")),
    "an event deleted": lambda: (event(0, ""), models.Event.objects.all()._raw_delete("default")),
    "a log index changed": lambda: (
        models.LogEntry.objects.create(entry=b"e", index=1),
        models.LogEntry.objects.update(index=2),
    ),
    "a destroyed key brought back": lambda: (
        key(state="destroyed", wrapped=None, reason="retention", destroyed_at=1),
        models.KeyRecord.objects.update(state="active", wrapped=b"w", destroyed_at=None),
    ),
    "a key record deleted": lambda: (key(), models.KeyRecord.objects.all()._raw_delete("default")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(what: str) -> None:
    with pytest.raises(IntegrityError):
        REFUSED[what]()


def test_it_takes_segments_that_touch_or_are_of_another_stream() -> None:
    for number, (first, stream) in enumerate([(10, "app"), (20, "app"), (0, "app"), (5, "system")], 1):
        segment(number, first, 10, stream=stream)
    assert models.Segment.objects.count() == 4
