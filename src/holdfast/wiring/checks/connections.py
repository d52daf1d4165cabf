"""Each connection to the gateway leaves one record, of the allowed fields alone, its address as a pseudonym.

A connection of the check's own is made, of which the address is known, and its record is waited for; a sample of stored
records of every environment is parsed. A record that holds anything but its fields does not parse.
"""

import ipaddress
import time

import numpy as np
import polars as pl

from holdfast.formats.connections import ConnectionRecord, parse_connection
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import day_of
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import UNCLAIMED, Stream, environment_name
from holdfast.rules import pseudonyms
from holdfast.rules.evidence import Seen, contradicted, missing, observed
from holdfast.wiring.checks.knocking import Knock, knock
from holdfast.wiring.checks.storedlines import newest
from holdfast.wiring.checks.view import View

ENVIRONMENTS = 50
SAMPLE = 200
"""Records looked at of an environment."""
PATIENCE = 15.0
"""Seconds until a record is there: the gateway has a node write it, and asks again if that is away."""
_RECORDER = '{"file":"gateway-'


def check(view: View) -> Seen:
    """Own record found, sampled records of the allowed fields alone."""
    shown, in_clear = _await(view, knock(view.vault.settings.gateway))
    suffix = f" {Stream.SSH_ACCESS.value}"
    held = sorted(place.removesuffix(suffix) for place in view.report.holding if place.endswith(suffix))
    places = list(dict.fromkeys((UNCLAIMED, *held)))[:ENVIRONMENTS]
    records = strange = 0
    for place in places:
        for message in _recorded(newest(view.vault, environment_name(place), Stream.SSH_ACCESS, SAMPLE)):
            records, strange = records + 1, strange + (_parsed(message) is None)
    figures = {
        "records": records,
        "environments": len(places),
        "not_allowed": strange,
        "own_pseudonym": shown,
        "own_in_clear": in_clear,
    }
    if strange:
        return contradicted("a connection record holds something else than its fields", **figures)
    if in_clear:
        return contradicted("a connection record holds an address in clear", **figures)
    if not shown:
        return missing("the check's own connection has no record yet", **figures)
    return observed("a connection just made has its record, with its address as the day's pseudonym", **figures)


def _recorded(lines: pl.DataFrame) -> list[bytes]:
    """What the gateway recorded; sshd's own lines of hosts lie in the same stream."""
    return lines.filter(pl.col("attributes").str.starts_with(_RECORDER))["message"].to_list()


def _parsed(message: bytes) -> ConnectionRecord | None:
    try:
        return parse_connection(message)
    except MalformedError:
        return None


def _await(view: View, own: Knock) -> tuple[int, int]:
    """How many records of the own connection's moment bear its pseudonym, and how many its address, once there are."""
    until = time.monotonic() + PATIENCE
    while True:
        lines = _recorded(newest(view.vault, UNCLAIMED, Stream.SSH_ACCESS, SAMPLE))
        records = [record for record in map(_parsed, lines) if record and own.before <= record.began <= own.after]
        expected = _pseudonyms(view, own)
        shown = sum(record.address in expected for record in records)
        in_clear = sum(record.address == own.address for record in records)
        if shown or in_clear or time.monotonic() > until:
            return shown, in_clear
        time.sleep(0.3)


def _pseudonyms(view: View, own: Knock) -> set[str]:
    """The own address under the day's key: two days' if midnight has just been."""
    days = {day_of(own.before), day_of(own.after)}
    known = [
        key.id
        for key in view.vault.catalogue().keys.values()
        if (key.kind, key.environment) == (KeyKind.PSEUDONYM, UNCLAIMED) and key.day in days and key.state == "active"
    ]
    address = ipaddress.ip_address(own.address.split("%")[0])
    packed = address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
    plain = np.frombuffer(packed, np.uint8).reshape(1, 16)
    dotted = np.array([address.version == 4])
    found = [pseudonyms.encrypt(key.reveal(), plain) for key in view.vault.keys(known).values()]
    return {pseudonyms.texts(one, dotted)[0].as_py().decode() for one in found}
