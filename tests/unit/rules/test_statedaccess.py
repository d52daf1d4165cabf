import dataclasses
import itertools

import pytest

from holdfast.kernel.names import UNCLAIMED, EnvironmentName, Form, PersonId, Stream
from holdfast.rules.policy import EnvironmentFacts, PersonFacts
from holdfast.rules.statedaccess import may_read

KEY = "SHA256:" + "k" * 43
NOBODY = PersonFacts(PersonId("p_" + "1" * 16), frozenset({KEY}), frozenset(), frozenset(), False)
CUSTOMER = dataclasses.replace(NOBODY, customers=frozenset({"acme"}))
SUPPORT = dataclasses.replace(NOBODY, teams=frozenset({"support"}))
OPERATIONS = dataclasses.replace(NOBODY, teams=frozenset({"operations"}), operations=True)

ACME = EnvironmentFacts(EnvironmentName("acme/main"), "acme", "aws/eu-west-1", frozenset({"support"}))
GLOBEX = EnvironmentFacts(EnvironmentName("globex/main"), "globex", "aws/eu-west-1", frozenset())
PLATFORM = EnvironmentFacts(UNCLAIMED, "platform", "aws/eu-west-1", frozenset())
BOTH, PSEUDONYM = frozenset(Form), frozenset({Form.PSEUDONYM})
APP, SYSTEM, WEB = Stream.APP, Stream.SYSTEM, Stream.WEB_ACCESS


@pytest.mark.parametrize(
    ("person", "reads"),
    [
        (NOBODY, {}),
        (CUSTOMER, {(ACME, APP): BOTH, (ACME, SYSTEM): BOTH, (ACME, WEB): BOTH}),
        (SUPPORT, {(ACME, APP): PSEUDONYM, (ACME, WEB): PSEUDONYM}),
        (OPERATIONS, {(PLATFORM, APP): PSEUDONYM, (PLATFORM, SYSTEM): PSEUDONYM, (PLATFORM, WEB): PSEUDONYM}),
    ],
    ids=["nobody", "customer", "support", "operations"],
)
def test_people_read_what_the_statements_name_and_nothing_else(
    person: PersonFacts, reads: dict[tuple[EnvironmentFacts, Stream], frozenset[Form]]
) -> None:
    for place, stream, form in itertools.product((ACME, GLOBEX, PLATFORM), Stream, Form):
        stated = form in reads.get((place, stream), frozenset())
        assert may_read(person, KEY, place, stream, form) == stated, (place.name, stream, form)
        assert not may_read(person, "SHA256:" + "x" * 43, place, stream, form)
