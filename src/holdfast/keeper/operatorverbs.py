"""What the operator and the console may ask: the register applied, tokens, the catalogue, keys to verify with, events.

Long answers come in pages: `next` holds the arguments of the next page, or null.
"""

import hashlib
from typing import Any

from holdfast.database import catalogue as segments
from holdfast.database import models, nodes, registers, reports
from holdfast.database.facts import DatabaseFacts
from holdfast.formats import canonical, handouts
from holdfast.formats.spelling import encode64
from holdfast.keeper.arguments import Arguments
from holdfast.keeper.nodeverbs import opened
from holdfast.keeper.office import Office
from holdfast.kernel.names import EnvironmentName, PersonId
from holdfast.rules.documents import printable
from holdfast.rules.places import parse_register
from holdfast.rules.policy import Action

KEYS_AT_ONCE = 10_000
PAGE = 5_000
FACTS_PAGE = 500
EVENTS_PAGE_BYTES = 6 * 1024 * 1024
PERSON_ID_BYTES = 8
TOKEN_BYTES = 32

Reply = dict[str, Any]


def apply(office: Office, arguments: Arguments) -> Reply:
    """The register made equal to the document; its version and what changed."""
    office.deciding.require_role("operator", Action.ADMINISTER)
    document = arguments.table("register")
    register = parse_register(document)
    digest = hashlib.sha256(canonical.dump(document)).hexdigest()
    randomness = office.outside.randomness
    version, changes = registers.apply_register(
        register, digest, office.outside.clock.now(), lambda: f"p_{randomness.bytes(PERSON_ID_BYTES).hex()}"
    )
    said = [{"what": change.what, "name": change.name, "change": change.change} for change in changes]
    if changes:
        office.recording.record("register", None, {"version": version, "document_sha256": digest, "changes": said})
    return {"version": version, "changes": said}


def new_token(office: Office, arguments: Arguments) -> Reply:
    """An intake token for an environment's senders: shown once, kept as its digest."""
    office.deciding.require_role("operator", Action.ADMINISTER)
    environment, label = arguments.environment(), printable(arguments.text("label", 100), "label", 100)
    token = f"hf_{office.outside.randomness.bytes(TOKEN_BYTES).hex()}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    nodes.add_token(digest, label, models.TokenKind.SENDER, environment, office.outside.clock.now())
    office.recording.record("token-made", environment, {"digest": digest, "label": label})
    return {"token": token}


def catalogue(office: Office, arguments: Arguments) -> Reply:
    """Every segment, then every key record, in pages; every node on each page."""
    office.deciding.require_role("operator", Action.VERIFY)
    row, key = arguments.number("segments_after", 0), arguments.optional_text("keys_after", 32)
    found = segments.segments_after(row, PAGE)
    if len(found) == PAGE:
        keys: list[dict[str, Any]] = []
        following: Reply = {"segments_after": found[-1].row}
    else:
        keys = reports.key_records_after(key, PAGE)
        last = found[-1].row if found else row
        following = {"segments_after": last, "keys_after": keys[-1]["id"]} if len(keys) == PAGE else {}
    return {
        "segments": [{**handouts.segment_members(item.entry), "store": item.store} for item in found],
        "nodes": reports.nodes(),
        "keys": keys,
        "next": following or None,
    }


def open_verify(office: Office, arguments: Arguments) -> Reply:
    """Keys to verify and to prove with; destroyed ones are left out."""
    office.deciding.require_role("operator", Action.VERIFY)
    held = list(office.records.active(arguments.key_ids("ids", KEYS_AT_ONCE)).values())
    office.leases.grant([key.record.id for key in held])
    return {"keys": opened(office, held)}


def persons(office: Office, arguments: Arguments) -> Reply:
    """What decisions rest on, of every person: opaque id, active SSH keys by fingerprint, customers, teams."""
    office.deciding.require_role("operator", Action.VERIFY)
    facts, ids = DatabaseFacts(), reports.person_ids_after(arguments.optional_text("after", 18), FACTS_PAGE)
    found = [person for person in (facts.person(PersonId(one)) for one in ids) if person is not None]
    said = [
        {
            "person": person.id,
            "fingerprints": sorted(person.fingerprints),
            "customers": sorted(person.customers),
            "teams": sorted(person.teams),
            "operations": person.operations,
        }
        for person in found
    ]
    return {"persons": said, "next": {"after": ids[-1]} if len(ids) == FACTS_PAGE else None}


def environments(office: Office, arguments: Arguments) -> Reply:
    """What decisions rest on, of every environment: its customer, hosting and relevant teams."""
    office.deciding.require_role("operator", Action.VERIFY)
    names = reports.environment_names_after(arguments.optional_text("after", 100), FACTS_PAGE)
    found = DatabaseFacts().environments([EnvironmentName(name) for name in names])
    said = [
        {
            "environment": place.name,
            "customer": place.customer,
            "hosting": place.hosting,
            "teams": sorted(place.relevant_teams),
        }
        for place in found.values()
    ]
    return {"environments": said, "next": {"after": names[-1]} if len(names) == FACTS_PAGE else None}


def events(office: Office, arguments: Arguments) -> Reply:
    """The keeper's events with salts, and where in its log each is."""
    office.deciding.require_role("operator", Action.VERIFY)
    size, following = 0, None
    said: list[Reply] = []
    for row, number, environment, previous, salt, json, commitment, index in reports.events_after(
        arguments.number("after", 0), PAGE
    ):
        said.append(
            {
                "number": number,
                "environment": environment,
                "previous": previous,
                "salt": encode64(bytes(salt)),
                "event": bytes(json).decode(),
                "commitment": commitment,
                "index": index,
            }
        )
        size += len(json)
        if size > EVENTS_PAGE_BYTES or len(said) == PAGE:
            following = {"after": row}
            break
    return {"events": said, "next": following}


def status(office: Office, _: Arguments) -> Reply:
    """Counts and health for the operator."""
    office.deciding.require_role("operator", Action.INSPECT)
    return {**reports.counts(), **_health(office)}


def counts(office: Office, _: Arguments) -> Reply:
    """Counts for the console."""
    office.deciding.require_role("console", Action.INSPECT)
    return {**reports.counts()}


def health(office: Office, _: Arguments) -> Reply:
    """Health for the console."""
    office.deciding.require_role("console", Action.INSPECT)
    return _health(office)


def _health(office: Office) -> Reply:
    return {
        "healthy": True,
        "installation": office.outside.installation,
        "epoch": office.epochs.current,
        "register_version": registers.register_version(),
        "log_size": office.recording.size,
    }
