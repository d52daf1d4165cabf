"""Who may read what, as the statements say it: written apart from the policies, to compare with what they decide.

S9, S12, S13: the customer reads `app`, `web-access` and `system` of their own environments, addresses in clear where
asked; relevant teams `app` and `web-access`, with pseudonyms. Operations read what maps nowhere (`platform/unclaimed`),
with pseudonyms. S14: nobody reads `ssh-access`. Always over an SSH key that is theirs.
"""

from holdfast.kernel.names import UNCLAIMED, Form, Stream
from holdfast.rules.policy import EnvironmentFacts, PersonFacts


def may_read(person: PersonFacts, fingerprint: str, environment: EnvironmentFacts, stream: Stream, form: Form) -> bool:
    """Whether the statements let the person, connected with that SSH key, read a stream in a form."""
    if stream is Stream.SSH_ACCESS or fingerprint not in person.fingerprints:
        return False
    if environment.customer in person.customers:
        return True
    if form is Form.CLEAR:
        return False
    if environment.name == UNCLAIMED and person.operations:
        return True
    return stream in (Stream.APP, Stream.WEB_ACCESS) and not person.teams.isdisjoint(environment.relevant_teams)
