"""The policies that come with the package, decision by decision; bad policy files; that errors deny."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.drivers.cedar import CedarPolicies
from holdfast.keeper.paths import POLICIES
from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import UNCLAIMED, EnvironmentName, Installation, KeyId, NodeName, PersonId, Stream
from holdfast.rules.policy import (
    Action,
    Allowed,
    DataKeyFacts,
    Decision,
    Denied,
    EnvironmentFacts,
    InstallationFacts,
    NodeFacts,
    PersonFacts,
    Question,
    RoleFacts,
    StreamFacts,
)

FINGERPRINT = "SHA256:" + "a" * 43
ACME = EnvironmentFacts(EnvironmentName("acme/main"), "acme", "aws/eu-west-1", frozenset({"support"}))
GLOBEX = EnvironmentFacts(EnvironmentName("globex/main"), "globex", "ovh/gra", frozenset())
PLATFORM = EnvironmentFacts(UNCLAIMED, "platform", "platform/any", frozenset())
NOBODY = PersonFacts(PersonId("p_0"), frozenset({FINGERPRINT}), frozenset(), frozenset(), False)
MEMBER = replace(NOBODY, customers=frozenset({"acme"}))
STAFF = replace(NOBODY, teams=frozenset({"support"}))
OPERATIONS = replace(NOBODY, teams=frozenset({"operations"}), operations=True)


@pytest.fixture(scope="module")
def policies() -> CedarPolicies:
    return CedarPolicies(POLICIES)


def reads(policies: CedarPolicies, person: PersonFacts, place: EnvironmentFacts, action: Action) -> set[Stream]:
    context = {"fingerprint": FINGERPRINT}
    questions = [Question(person, action, StreamFacts(place, stream), context) for stream in Stream]
    decisions = policies.decide(questions)
    return {stream for stream, decision in zip(Stream, decisions, strict=True) if isinstance(decision, Allowed)}


OWN = {Stream.APP, Stream.SYSTEM, Stream.WEB_ACCESS}
TEAM = {Stream.APP, Stream.WEB_ACCESS}


@pytest.mark.parametrize(
    ("person", "place", "pseudonym", "clear"),
    [
        (MEMBER, ACME, OWN, OWN),
        (MEMBER, GLOBEX, set(), set()),
        (MEMBER, PLATFORM, set(), set()),
        (STAFF, ACME, TEAM, set()),
        (STAFF, GLOBEX, set(), set()),
        (OPERATIONS, PLATFORM, OWN, set()),
        (OPERATIONS, ACME, set(), set()),
        (NOBODY, ACME, set(), set()),
        (NOBODY, PLATFORM, set(), set()),
    ],
)
def test_who_reads_what(
    policies: CedarPolicies, person: PersonFacts, place: EnvironmentFacts, pseudonym: set[Stream], clear: set[Stream]
) -> None:
    assert reads(policies, person, place, Action.READ) == pseudonym
    assert reads(policies, person, place, Action.READ_CLEAR) == clear


def decide(policies: CedarPolicies, question: Question) -> Decision:
    return policies.decide([question])[0]


def test_nothing_is_read_over_an_ssh_key_that_is_not_theirs(policies: CedarPolicies) -> None:
    question = Question(MEMBER, Action.READ, StreamFacts(ACME, Stream.APP), {"fingerprint": "SHA256:" + "b" * 43})
    assert decide(policies, question) == Denied(("ssh-key-not-theirs",), "policy-forbids")
    connect = Question(MEMBER, Action.CONNECT, ACME, question.context)
    assert decide(policies, connect) == Denied(("ssh-key-not-theirs",), "policy-forbids")


def test_decisions_name_policies_by_their_id(policies: CedarPolicies) -> None:
    context = {"fingerprint": FINGERPRINT}
    allowed = decide(policies, Question(MEMBER, Action.READ, StreamFacts(ACME, Stream.APP), context))
    assert allowed == Allowed(("customer-reads-own",))
    closed = decide(policies, Question(MEMBER, Action.READ, StreamFacts(ACME, Stream.SSH_ACCESS), context))
    assert closed == Denied(("ssh-access-closed",), "policy-forbids")
    nothing = decide(policies, Question(NOBODY, Action.READ, StreamFacts(ACME, Stream.APP), context))
    assert nothing == Denied((), "no-policy-permits")


def test_a_node_makes_keys_for_its_hosting_and_opens_its_own_journal(policies: CedarPolicies) -> None:
    node = NodeFacts(NodeName("n1"), "aws/eu-west-1")
    made = [decide(policies, Question(node, Action.MAKE_KEY, place)) for place in (ACME, GLOBEX, PLATFORM)]
    assert [isinstance(decision, Allowed) for decision in made] == [True, False, True]
    keys = [
        ("n1", KeyKind.JOURNAL),
        ("n1", KeyKind.STATE),
        ("n1", KeyKind.SEGMENT),
        ("n2", KeyKind.JOURNAL),
        ("", KeyKind.PSEUDONYM),
    ]
    resources = [DataKeyFacts(KeyId(f"{at:032x}"), kind, name) for at, (name, kind) in enumerate(keys)]
    opened = policies.decide([Question(node, Action.OPEN_KEY, resource) for resource in resources])
    assert [isinstance(decision, Allowed) for decision in opened] == [True, True, False, False, False]


def test_the_console_shows_counts_and_nothing_else(policies: CedarPolicies) -> None:
    installation = InstallationFacts(Installation("logs.example"))
    for action, roles in {
        Action.VERIFY: {"operator"},
        Action.ADMINISTER: {"operator"},
        Action.INSPECT: {"operator", "console"},
    }.items():
        allowed = {
            role
            for role in ("operator", "console", "gateway", "node")
            if isinstance(decide(policies, Question(RoleFacts(role), action, installation)), Allowed)
        }
        assert allowed == roles


@pytest.mark.parametrize("context", [{}, {"fingerprint": FINGERPRINT, "other": "x"}])
def test_a_question_that_does_not_fit_the_schema_is_denied(policies: CedarPolicies, context: dict[str, str]) -> None:
    question = Question(MEMBER, Action.READ, StreamFacts(ACME, Stream.APP), context)
    assert decide(policies, question) == Denied((), "policy-error")
    assert decide(policies, Question(MEMBER, Action.VERIFY, ACME)) == Denied((), "policy-error")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies"


def test_a_forbid_that_errors_denies_instead_of_being_skipped(folder: Path) -> None:
    # Passes the validator (an integer overflow is not a type error), fails when it is evaluated.
    (folder / "extra.cedar").write_text(
        '@id("breaks") forbid (principal is Person, action == Action::"read", resource is LogStream)'
        "when { 9223372036854775807 + 1 > 0 };"
    )
    question = Question(MEMBER, Action.READ, StreamFacts(ACME, Stream.APP), {"fingerprint": FINGERPRINT})
    assert decide(CedarPolicies(folder), question) == Denied((), "policy-error")


@pytest.mark.parametrize(
    ("text", "policy", "problem"),
    [
        ("permit (principal, action, resource);", "policy0", "no @id"),
        ('@id("") permit (principal, action, resource);', "policy0", "no @id"),
        ("permit (", "", "unexpected"),
        (
            '@id("odd") permit (principal is Person, action == Action::"read", resource is LogStream)'
            "when { principal.height > 2 };",
            "odd",
            "height",
        ),
        ('@id("odd") permit (principal is Robot, action, resource);', "odd", "Robot"),
    ],
)
def test_a_bad_policy_is_named_with_its_file(folder: Path, text: str, policy: str, problem: str) -> None:
    (folder / "extra.cedar").write_text(text)
    with pytest.raises(ConfigurationError, match="policy") as found:
        CedarPolicies(folder)
    assert (found.value.fields["file"], found.value.fields["policy"]) == ("extra.cedar", policy)
    assert problem in str(found.value.fields["problem"])


def test_policy_ids_are_unique_and_a_schema_is_needed(folder: Path) -> None:
    (folder / "extra.cedar").write_text(
        '@id("ssh-access-closed") forbid (principal, action == Action::"verify", resource);'
    )
    with pytest.raises(ConfigurationError, match="same @id"):
        CedarPolicies(folder)
    (folder / "holdfast.cedarschema").unlink()
    with pytest.raises(ConfigurationError, match="cedarschema"):
        CedarPolicies(folder)
