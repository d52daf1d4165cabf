"""Nodes announced, and the tokens senders show."""

from dataclasses import dataclass

from holdfast.database import models
from holdfast.database.keyrecords import ids_of_environments
from holdfast.kernel.errors import ConflictError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName
from holdfast.kernel.segments import Hosting


@dataclass(frozen=True, slots=True)
class NodeAnnouncement:
    """What a node says of itself, once and for all."""

    name: NodeName
    origin: str
    vkey: str
    promise_vkey: str
    hosting: Hosting


def announce(node: NodeAnnouncement, at: Instant) -> bool:
    """Enter a node; whether it is new. ConflictError `node-differs` if the name is known with anything else."""
    said = (node.origin, node.vkey, node.promise_vkey, node.hosting.vendor, node.hosting.region)
    columns = ("origin", "vkey", "promise_vkey", "vendor", "region")
    held = models.Node.objects.filter(name=node.name).values_list(*columns).first()
    if held is None and models.Node.objects.filter(origin=node.origin).exists():
        raise ConflictError("node-origin-taken", "another node's log has this origin", node=node.name)
    if held is not None:
        if held != said:
            raise ConflictError("node-differs", "a node name stands for one log, key and hosting", node=node.name)
        return False
    models.Node.objects.create(name=node.name, opened_at=at, **dict(zip(columns, said, strict=True)))
    return True


def add_token(
    digest: str, label: str, kind: models.TokenKind, environment: EnvironmentName | None, at: Instant
) -> None:
    """Enter a token by its digest. RefusedError `environment-unknown`."""
    environment_id = ids_of_environments([environment])[environment] if environment else None
    models.IntakeToken.objects.create(
        digest=digest, label=label, kind=kind.value, environment_id=environment_id, made_at=at
    )


def token_of(digest: str) -> tuple[models.TokenKind, EnvironmentName | None] | None:
    """What an active token is for; None if there is none, or if its environment is closed."""
    rows = models.IntakeToken.objects.filter(digest=digest, active=True).exclude(environment__closed=True)
    row = rows.values_list("kind", "environment__name").first()
    return (models.TokenKind(row[0]), EnvironmentName(row[1]) if row[1] else None) if row else None
