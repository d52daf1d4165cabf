"""Questions for policy from names: facts are read, then policy decides. What is not known is denied, not an error."""

from collections.abc import Collection, Sequence

from holdfast.access.ports import Facts, PolicyEngine
from holdfast.formats.wrapping import KeyRecord
from holdfast.kernel.errors import RefusedError
from holdfast.kernel.names import EnvironmentName, Form, Installation, NodeName, PersonId, Stream, environment_of_login
from holdfast.rules.policy import (
    UNKNOWN_ENVIRONMENT,
    UNKNOWN_PERSON,
    UNKNOWN_SSH_KEY,
    Action,
    Allowed,
    DataKeyFacts,
    Decision,
    Denied,
    InstallationFacts,
    NodeFacts,
    Question,
    Resource,
    RoleFacts,
    StreamFacts,
    action_of,
)


class Deciding:
    """Decisions on people, nodes and the operator."""

    def __init__(self, facts: Facts, engine: PolicyEngine, installation: Installation) -> None:
        self._facts = facts
        self._engine = engine
        self._installation = InstallationFacts(installation)

    def connect(self, fingerprint: str, login: str) -> tuple[PersonId | None, Decision]:
        """Whether the holder of an SSH key may connect to the environment a login stands for; and who that is."""
        person = self._facts.person_of_ssh_key(fingerprint)
        if person is None:
            return None, Denied((), UNKNOWN_SSH_KEY)
        name = environment_of_login(login)
        environment = self._facts.environments([name]).get(name) if name else None
        if environment is None:
            return person.id, Denied((), UNKNOWN_ENVIRONMENT)
        question = Question(person, Action.CONNECT, environment, {"fingerprint": fingerprint})
        return person.id, self._engine.decide([question])[0]

    def read(
        self, person_id: PersonId, fingerprint: str, environment: EnvironmentName, wanted: Sequence[tuple[Stream, Form]]
    ) -> Sequence[Decision]:
        """Whether the person, connected with that SSH key, may read each stream in that form."""
        person = self._facts.person(person_id)
        if person is None:
            return [Denied((), UNKNOWN_PERSON)] * len(wanted)
        place = self._facts.environments([environment]).get(environment)
        if place is None:
            return [Denied((), UNKNOWN_ENVIRONMENT)] * len(wanted)
        context = {"fingerprint": fingerprint}
        return self._engine.decide(
            [Question(person, action_of(form), StreamFacts(place, stream), context) for stream, form in wanted]
        )

    def require_node_makes(self, node: NodeName, environments: Collection[EnvironmentName]) -> None:
        """RefusedError unless the node may have keys made for every one of the environments."""
        places = self._facts.environments(environments)
        for name in environments:
            if name not in places:
                raise RefusedError("environment-unknown", "the environment is not in the register", environment=name)
        self._require(self._node(node), Action.MAKE_KEY, list(places.values()))

    def require_node_opens(self, node: NodeName, records: Sequence[KeyRecord]) -> None:
        """RefusedError unless the node may have every one of these keys opened again."""
        keys = {DataKeyFacts(record.id, record.kind, record.node or "") for record in records}
        self._require(self._node(node), Action.OPEN_KEY, list(keys))

    def require_role(self, role: str, action: Action) -> None:
        """RefusedError unless the role (`operator`, `console`) may do this to the installation."""
        self._require(RoleFacts(role), action, [self._installation])

    def _node(self, node: NodeName) -> NodeFacts:
        facts = self._facts.node(node)
        if facts is None:
            raise RefusedError("node-unknown", "the node was not announced to the keeper", node=node)
        return facts

    def _require(self, principal: NodeFacts | RoleFacts, action: Action, resources: Sequence[Resource]) -> None:
        questions = [Question(principal, action, resource) for resource in resources]
        for decision in self._engine.decide(questions):
            if not isinstance(decision, Allowed):
                raise RefusedError(
                    "policy-denies",
                    "policy does not allow this",
                    principal=principal.name,
                    action=action.value,
                    reason=decision.reason,
                    policies=" ".join(decision.policies),
                )
