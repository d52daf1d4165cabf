"""Questions put to policy, and its answers: values only. What policy says is in `keeper/policies/*.cedar`.

A decision is not an error. `Denied` is the answer whenever nothing permits, something forbids, or anything at all goes
wrong in evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, Form, Installation, KeyId, NodeName, PersonId, Stream


class Action(StrEnum):
    """What is asked for, as the policies name it."""

    CONNECT = "connect"
    READ = "read"
    READ_CLEAR = "readClear"
    MAKE_KEY = "makeKey"
    OPEN_KEY = "openKey"
    VERIFY = "verify"
    ADMINISTER = "administer"
    INSPECT = "inspect"


def action_of(form: Form) -> Action:
    """The action that reads a form."""
    return Action.READ_CLEAR if form is Form.CLEAR else Action.READ


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the register says of a person now. Fingerprints are of active SSH keys only."""

    id: PersonId
    fingerprints: frozenset[str]
    customers: frozenset[str]
    teams: frozenset[str]
    operations: bool


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """What the register says of an environment now. `hosting` is `vendor/region`."""

    name: EnvironmentName
    customer: str
    hosting: str
    relevant_teams: frozenset[str]


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream of an environment."""

    environment: EnvironmentFacts
    stream: Stream


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node as it was announced."""

    name: NodeName
    hosting: str


@dataclass(frozen=True, slots=True)
class DataKeyFacts:
    """A data key as a resource: its kind, and the node it was made for (empty for a pseudonym key)."""

    id: KeyId
    kind: KeyKind
    node: str


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A process or the operator, told by the socket it came in by: `operator`, `console`."""

    name: str


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """The installation as a whole."""

    name: Installation


Principal = PersonFacts | NodeFacts | RoleFacts
Resource = EnvironmentFacts | StreamFacts | DataKeyFacts | InstallationFacts


@dataclass(frozen=True, slots=True)
class Question:
    """May the principal do this to the resource? The context holds what belongs to the one request."""

    principal: Principal
    action: Action
    resource: Resource
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Permitted, by the policies with these `@id`s."""

    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """Not permitted. The reason is a stable word; the policies are those that forbid, if any do."""

    policies: tuple[str, ...]
    reason: str


Decision = Allowed | Denied

NO_POLICY_PERMITS = "no-policy-permits"
POLICY_FORBIDS = "policy-forbids"
POLICY_ERROR = "policy-error"
UNKNOWN_SSH_KEY = "unknown-ssh-key"
UNKNOWN_PERSON = "unknown-person"
UNKNOWN_ENVIRONMENT = "unknown-environment"
