"""What the gateway may ask for the persons connected to it: who they are, what they may read, and the keys to it.

No decision, no key: the keys come in the answer that allows. Reads, and refused ones, are events of the environment,
the same one at most every ten minutes.
"""

from typing import Any

from holdfast.access.leasing import LEASE_SECONDS
from holdfast.database import catalogue
from holdfast.formats import handouts
from holdfast.formats.spelling import encode64
from holdfast.keeper.arguments import Arguments
from holdfast.keeper.office import Office
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import Form, PersonId, Stream
from holdfast.rules.policy import UNKNOWN_ENVIRONMENT, Allowed, Decision

SEGMENTS_AT_ONCE = 15_000
"""So that the answer fits one message."""
RECORD_EVERY_SECONDS = 600

Reply = dict[str, Any]


def said(decision: Decision) -> Reply:
    """A decision as a reply."""
    reason = "" if isinstance(decision, Allowed) else decision.reason
    return {"allowed": isinstance(decision, Allowed), "policies": list(decision.policies), "reason": reason}


def authenticate(office: Office, arguments: Arguments) -> Reply:
    """Whether the holder of an SSH key may connect to the environment of a login, and who that is."""
    person, decision = office.deciding.connect(arguments.fingerprint(), arguments.text("login"))
    return {**said(decision), "person": person}


def streams(office: Office, arguments: Arguments) -> Reply:
    """What the person may read of an environment, by stream and form."""
    wanted = [(stream, form) for stream in Stream for form in Form]
    person, key = PersonId(arguments.text("person", 18)), arguments.fingerprint()
    decisions = office.deciding.read(person, key, arguments.environment(), wanted)
    found: dict[str, dict[str, bool]] = {stream.value: {} for stream in Stream}
    for (stream, form), decision in zip(wanted, decisions, strict=True):
        found[stream.value][form.value] = isinstance(decision, Allowed)
    return {"streams": found}


def open_stream(office: Office, arguments: Arguments) -> Reply:
    """The decision to read a stream, with the segments, and the keys of all there is to read, if it allows."""
    person, key = PersonId(arguments.text("person", 18)), arguments.fingerprint()
    environment, stream, form = arguments.environment(), arguments.stream(), arguments.form()
    days = catalogue.DayRange(arguments.optional_day("since"), arguments.optional_day("until"))
    decision = office.deciding.read(person, key, environment, [(stream, form)])[0]
    allowed = isinstance(decision, Allowed)
    reply: Reply = {**said(decision), "segments": [], "journal": [], "pseudonyms": {}, "lease_seconds": LEASE_SECONDS}
    known = reply["reason"] != UNKNOWN_ENVIRONMENT
    what = ("read" if allowed else "read-refused", person, key, environment, stream.value, form.value)
    if known and office.is_news(what, RECORD_EVERY_SECONDS):
        body = {"person": person, "fingerprint": key, "stream": stream.value, "form": form.value}
        office.recording.record(what[0], environment, {**body, "policies": list(decision.policies)})
    if not allowed:
        return reply
    rows = catalogue.segments_of(environment, stream, days, SEGMENTS_AT_ONCE + 1)
    if len(rows) > SEGMENTS_AT_ONCE:
        raise MalformedError("range-too-wide", "ask for fewer days at once", limit=SEGMENTS_AT_ONCE)
    held = office.records.active([row.entry.key for row in rows])
    journal = catalogue.journal_keys_of(environment, stream, days)
    pseudonyms = catalogue.pseudonym_keys_of(environment, days) if form is Form.CLEAR else []
    secrets = office.keys.open([*held.values(), *journal, *pseudonyms])
    keys = {name: encode64(secret.reveal()) for name, secret in secrets.items()}
    reply["lease_seconds"] = office.leases.grant(keys)
    reply["segments"] = [
        {**handouts.segment_members(row.entry), "store": row.store, "key_bytes": keys[row.entry.key]}
        for row in rows
        if row.entry.key in keys
    ]
    reply["journal"] = [
        {"id": key.record.id, "node": key.record.node, "day": key.record.day, "key_bytes": keys[key.record.id]}
        for key in journal
    ]
    reply["pseudonyms"] = {key.record.day: keys[key.record.id] for key in pseudonyms}
    return reply
