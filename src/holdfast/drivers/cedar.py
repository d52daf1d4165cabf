"""Cedar decides (access.ports.PolicyEngine).

Policies and schema are read and checked once, at start: every policy has an `@id` of its own and is valid against the
schema, or nothing starts. A question is turned into entities of exactly what the register says; they are checked
against the schema too. Whatever goes wrong in evaluation denies: Cedar itself skips a policy that errors, and a skipped
`forbid` would permit. A decision costs about a quarter of a millisecond, most of it reading the entities.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cedarpy

from holdfast.kernel.errors import ConfigurationError
from holdfast.rules.policy import (
    NO_POLICY_PERMITS,
    POLICY_ERROR,
    POLICY_FORBIDS,
    Allowed,
    DataKeyFacts,
    Decision,
    Denied,
    EnvironmentFacts,
    InstallationFacts,
    NodeFacts,
    PersonFacts,
    Principal,
    Question,
    Resource,
    RoleFacts,
    StreamFacts,
)

_Entity = dict[str, Any]
BATCH = 500


class CedarPolicies:
    """The policies of a folder: every `*.cedar`, one `*.cedarschema`."""

    def __init__(self, folder: Path) -> None:
        """ConfigurationError `policy` naming the file and the policy that is not good."""
        schemas = sorted(folder.glob("*.cedarschema"))
        files = sorted(folder.glob("*.cedar"))
        if len(schemas) != 1 or not files:
            raise ConfigurationError("policy", "a policy folder holds *.cedar files and one *.cedarschema")
        try:
            self._schema = cedarpy.Schema.from_str(schemas[0].read_text())
        except ValueError as error:
            raise _bad(schemas[0], "", error) from None
        self.ids: list[str] = []
        texts = []
        for file in files:
            text = file.read_text()
            self.ids += self._checked(file, text)
            texts.append(text)
        if len(set(self.ids)) != len(self.ids):
            raise ConfigurationError("policy", "two policies have the same @id", folder=folder.name)
        self._policies = cedarpy.PolicySet.from_str("\n".join(texts))

    def _checked(self, file: Path, text: str) -> list[str]:
        try:
            policies = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
            result = cedarpy.validate_policies(text, self._schema)
        except ValueError as error:
            raise _bad(file, "", error) from None
        ids = []
        for generated, policy in policies.items():
            found = (policy.get("annotations") or {}).get("id")
            if not found:
                raise _bad(file, generated, "the policy has no @id")
            ids.append(found)
        for problem in result.errors:
            named = result.id_annotations_by_policy_id.get(problem.policy_id, problem.policy_id)
            raise _bad(file, named, problem.error)
        if not result.validation_passed:
            raise _bad(file, "", "the file is not valid")
        return ids

    def decide(self, questions: Sequence[Question]) -> Sequence[Decision]:
        """One decision per question, in order. Never raises: whatever goes wrong is `Denied`."""
        decisions: list[Decision] = []
        for at in range(0, len(questions), BATCH):
            decisions += self._decide(questions[at : at + BATCH])
        return decisions

    def _decide(self, questions: Sequence[Question]) -> Sequence[Decision]:
        entities = {
            (entity["uid"]["type"], entity["uid"]["id"]): entity
            for question in questions
            for facts in (question.principal, question.resource)
            for entity in _entities(facts)
        }
        requests = [
            {
                "principal": _uid(_type(question.principal), _name(question.principal)),
                "action": _uid("Action", question.action.value),
                "resource": _uid(_type(question.resource), _name(question.resource)),
                "context": dict(question.context),
            }
            for question in questions
        ]
        try:
            results = cedarpy.is_authorized_batch(requests, self._policies, list(entities.values()), self._schema)
        except Exception:  # whatever the engine raises is one more way of not permitting
            return [Denied((), POLICY_ERROR)] * len(questions)
        if len(results) != len(questions):
            return [Denied((), POLICY_ERROR)] * len(questions)
        return [_decision(result) for result in results]


def _decision(result: cedarpy.AuthzResult) -> Decision:
    found = result.diagnostics
    if found.errors or result.decision not in (cedarpy.Decision.Allow, cedarpy.Decision.Deny):
        return Denied((), POLICY_ERROR)
    policies = tuple(sorted(found.id_annotations_by_reason.get(reason, reason) for reason in found.reasons))
    if result.allowed:
        return Allowed(policies)
    return Denied(policies, POLICY_FORBIDS if policies else NO_POLICY_PERMITS)


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _reference(kind: str, name: str) -> _Entity:
    return {"__entity": _uid(kind, name)}


def _type(facts: Principal | Resource) -> str:
    return {
        PersonFacts: "Person",
        NodeFacts: "Node",
        RoleFacts: "Role",
        EnvironmentFacts: "Environment",
        StreamFacts: "LogStream",
        DataKeyFacts: "DataKey",
        InstallationFacts: "Installation",
    }[type(facts)]


def _name(facts: Principal | Resource) -> str:
    if isinstance(facts, StreamFacts):
        return f"{facts.environment.name}/{facts.stream}"
    return facts.id if isinstance(facts, PersonFacts | DataKeyFacts) else facts.name


def _entity(facts: Principal | Resource, attributes: _Entity, parents: Sequence[dict[str, str]] = ()) -> _Entity:
    return {"uid": _uid(_type(facts), _name(facts)), "attrs": attributes, "parents": list(parents)}


def _entities(facts: Principal | Resource) -> Iterator[_Entity]:
    if isinstance(facts, PersonFacts):
        parents = [_uid("Customer", name) for name in sorted(facts.customers)]
        parents += [_uid("Team", name) for name in sorted(facts.teams)]
        attributes = {"fingerprints": sorted(facts.fingerprints), "operations": facts.operations}
        yield _entity(facts, attributes, parents)
    elif isinstance(facts, NodeFacts):
        yield _entity(facts, {"hosting": facts.hosting})
    elif isinstance(facts, EnvironmentFacts):
        attributes = {
            "customer": _reference("Customer", facts.customer),
            "hosting": facts.hosting,
            "relevantTeams": [_reference("Team", name) for name in sorted(facts.relevant_teams)],
        }
        yield _entity(facts, attributes, [_uid("Customer", facts.customer)])
    elif isinstance(facts, StreamFacts):
        yield from _entities(facts.environment)
        place = _uid("Environment", facts.environment.name)
        yield _entity(facts, {"environment": {"__entity": place}, "kind": facts.stream.value}, [place])
    elif isinstance(facts, DataKeyFacts):
        made_for = [_reference("Node", facts.node)] if facts.node else []
        yield _entity(facts, {"kind": facts.kind.value, "madeFor": made_for})
    else:
        yield _entity(facts, {})


def _bad(file: Path, policy: str, why: object) -> ConfigurationError:
    return ConfigurationError(
        "policy", "a policy file is not good", file=file.name, policy=policy, problem=str(why)[:300]
    )
