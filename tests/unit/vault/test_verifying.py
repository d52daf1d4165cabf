"""Whatever is changed, dropped, added or moved on a node's disks is found, and blamed on the right object."""

import dataclasses
import io
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from tests.support.vaults import INSTALLATION, MORNING, NODE, Disks, MemoryNode, check_vault, report_of, syslog_lines

from holdfast.drivers.memory import MemoryStore
from holdfast.formats.entries import EventEntry, NodeOpened
from holdfast.formats.ledgers import FlushHeaders, read_headers, write_headers
from holdfast.formats.notes import signer
from holdfast.formats.spelling import decode64, encode64
from holdfast.vault.integrating import TileLog
from holdfast.vault.verifyingkeeper import HeldEvent, KeeperVault


@pytest.fixture
def disks() -> Disks:
    """Two sealed journal files and one that is open, of two environments, with an access line for web-access."""
    disks = Disks()
    node = MemoryNode(disks)
    for first in (0, 40, 80):
        other = syslog_lines(first, 7, "web1.globex.example", "sshd")
        node.integrate(node.flush(syslog_lines(first, 20) + other), node.flush(syslog_lines(first + 20, 20)))
        if first < 80:
            node.seal()
    return disks


def test_an_untouched_vault_is_sound_and_every_line_is_counted(disks: Disks) -> None:
    report = check_vault(disks)
    assert report.lines == 3 * 47
    assert report.holding == {"acme/main app": 120, "globex/main ssh-access": 21}
    assert (report.segments, report.flushes, report.unlogged) == (4, 6, 0)


@pytest.mark.parametrize("kind", ["store", "ledger", "log"])
def test_a_flipped_byte_anywhere_in_an_object_is_found_and_names_that_object(disks: Disks, kind: str) -> None:
    objects: dict[str, bytes] = getattr(disks, kind)
    for name, data in list(objects.items()):
        for place in {0, 3, len(data) // 3, len(data) // 2, len(data) - 5, len(data) - 1}:
            objects[name] = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            report = report_of(disks)
            assert any(name in finding.object for finding in report.findings), (name, place, report.findings)
        objects[name] = data
    check_vault(disks)


def test_a_flipped_byte_in_a_journal_file_is_found_and_names_the_file(disks: Disks) -> None:
    [(number, data)] = disks.files.items()
    for place in range(0, len(data), len(data) // 50):
        disks.files[number] = data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]
        report = report_of(disks)
        assert any("journal" in finding.object for finding in report.findings), place
        disks.files[number] = data


def test_damage_in_a_segment_names_environment_stream_and_lines_and_leaves_the_rest_standing(disks: Disks) -> None:
    name = next(name for name in disks.store if "acme" in name and "n1-40." in name)
    data = disks.store[name]
    disks.store[name] = data[: len(data) // 2] + b"\x00\x01" + data[len(data) // 2 + 2 :]
    report = report_of(disks)
    [finding] = [finding for finding in report.findings if finding.object == name]
    assert (finding.environment, finding.stream, finding.first, finding.last) == ("acme/main", "app", 40, 79)
    assert report.holding == {"acme/main app": 80, "globex/main ssh-access": 21}


def test_a_missing_segment_is_found_and_its_lines_are_named(disks: Disks) -> None:
    name = next(name for name in disks.store if "globex" in name and "n1-7." in name)
    del disks.store[name]
    findings = report_of(disks).findings
    assert {finding.code for finding in findings} >= {"segment-missing", "batch-missing", "numbering"}
    assert {(finding.first, finding.last) for finding in findings} == {(7, 13)}


def test_a_segment_dropped_from_store_and_catalogue_alike_is_still_missed(disks: Disks) -> None:
    name = next(name for name in disks.store if "acme" in name)
    del disks.store[name]
    del disks.keys.catalogue[name]
    codes = {finding.code for finding in report_of(disks).findings}
    assert "batch-missing" in codes


def test_an_object_that_nobody_knows_is_found(disks: Disks) -> None:
    disks.store["segments/acme/main/app/2026/11/24/n1-999.0.parquet"] = b"PARE"
    [finding] = report_of(disks).findings
    assert (finding.code, "n1-999" in finding.object) == ("object-unknown", True)


def test_two_segments_that_changed_places_are_both_found(disks: Disks) -> None:
    one, two = sorted(disks.store)[:2]
    disks.store[one], disks.store[two] = disks.store[two], disks.store[one]
    assert {finding.object for finding in report_of(disks).findings} >= {one, two}


def test_a_log_put_back_to_an_older_state_is_found(disks: Disks) -> None:
    older = Disks()
    node = MemoryNode(older)
    node.integrate(node.flush(syslog_lines(0, 20)))
    disks.log.clear()
    disks.log.update(older.log)
    assert any(finding.code == "flush-root" for finding in report_of(disks).findings)


def test_a_log_put_back_to_a_state_it_once_had_is_found() -> None:
    fresh = Disks()
    node = MemoryNode(fresh)
    node.integrate(node.flush(syslog_lines(0, 20)))
    before = dict(fresh.log)
    node.integrate(node.flush(syslog_lines(20, 20)))
    node.seal()
    check_vault(fresh)
    fresh.log.clear()
    fresh.log.update(before)
    assert {finding.code for finding in report_of(fresh).findings} == {"flush-unlogged"}


def test_a_ledger_object_put_in_anothers_place_is_found(disks: Disks) -> None:
    one, two = [name for name in sorted(disks.ledger) if name.endswith(".headers")]
    disks.ledger[one] = disks.ledger[two]
    [finding] = report_of(disks).findings
    assert (finding.code, finding.object) == ("ledger-flushes", f"ledger/{one}")


def test_headers_of_the_ledger_that_are_not_those_of_its_leaves_are_found(disks: Disks) -> None:
    name = next(name for name in sorted(disks.ledger) if name.endswith(".headers"))
    flushes = list(read_headers(io.BytesIO(disks.ledger[name]), name))
    salt, header = flushes[0].entries[0]
    changed = FlushHeaders(flushes[0].flush, [(bytes(len(salt)), header), *flushes[0].entries[1:]])
    sink = io.BytesIO()
    write_headers(sink, [changed, *flushes[1:]])
    disks.ledger[name] = sink.getvalue()
    [finding] = report_of(disks).findings
    assert (finding.code, finding.object) == ("flush-headers", f"ledger/{name}")


@pytest.mark.parametrize("column", ["count", "text_bytes", "clear_bytes", "arrival_min", "arrival_max"])
def test_a_catalogue_that_says_something_else_of_a_segment_is_found(disks: Disks, column: str) -> None:
    name = next(iter(disks.keys.catalogue))
    entry = disks.keys.catalogue[name]
    disks.keys.catalogue[name] = dataclasses.replace(entry, **{column: getattr(entry, column) + 1})
    assert {finding.code for finding in report_of(disks).findings} == {"segment-catalogue"}


def test_headers_that_are_gone_are_missed(disks: Disks) -> None:
    name = next(name for name in sorted(disks.ledger) if name.endswith(".headers"))
    del disks.ledger[name]
    [finding] = report_of(disks).findings
    assert (finding.code, finding.object) == ("headers-missing", f"ledger/{name}")


class Busy:
    """A node that goes on while its vault is verified: whenever called it takes lines, and seals them."""

    def __init__(self) -> None:
        self.disks = Disks()
        self.node = MemoryNode(self.disks)
        self.lines = 0
        self()
        self.take()

    def take(self) -> None:
        self.node.integrate(self.node.flush(syslog_lines(self.lines, 20)))
        self.lines += 20

    def __call__(self) -> None:
        self.take()
        self.node.seal()


@pytest.mark.parametrize("moment", ["at_keys", "at_catalogue", "both"])
def test_a_vault_that_is_sealed_while_it_is_verified_is_sound(moment: str) -> None:
    busy = Busy()
    hooks = {hook: busy for hook in ("at_keys", "at_catalogue") if moment in (hook, "both")}
    report = report_of(busy.disks, **hooks)
    assert report.findings == []
    assert report.lines >= 40


def test_lines_that_go_while_a_vault_is_sealed_and_verified_are_missed_all_the_same() -> None:
    busy = Busy()

    def lose() -> None:
        busy()
        name = max(busy.disks.store, key=lambda name: busy.disks.keys.catalogue[name].first)
        del busy.disks.store[name]
        del busy.disks.keys.catalogue[name]

    assert "batch-missing" in {finding.code for finding in report_of(busy.disks, at_keys=lose).findings}


def test_a_segment_that_is_being_sealed_is_waited_for(disks: Disks) -> None:
    name, entry = disks.keys.catalogue.popitem()

    def settling() -> bool:
        disks.keys.catalogue[name] = entry
        return True

    assert "object-unknown" in {finding.code for finding in report_of(disks).findings}
    assert "object-unknown" not in {finding.code for finding in report_of(disks, settling=settling).findings}


def keeper_of(events: list[HeldEvent], log: MemoryStore) -> KeeperVault:
    """A keeper whose log, if it is new, commits to these events and to the node of `disks`."""
    keeper = signer(f"{INSTALLATION}/keeper", bytes(range(32)))
    if not log.objects:
        node = signer(f"{INSTALLATION}/{NODE}", bytes(32)).verifier()
        entries = [NodeOpened(NODE, MORNING, node.name, node.vkey(), None).encode()]
        entries += [EventEntry("keeper", MORNING, decode64(event.commitment)).encode() for event in events]
        TileLog(log, keeper).append(entries)
    return KeeperVault(keeper.verifier(), log, lambda: events)


def chain(name: str, count: int, first_index: int) -> list[HeldEvent]:
    """Events of one chain, as they would be logged from an index on."""
    events: list[HeldEvent] = []
    for number in range(count):
        event, salt = b'{"event":"%s %d"}' % (name.encode(), number), bytes([number]) * 16
        commitment = encode64(sha256(salt + event).digest())
        previous = events[-1].commitment if events else ""
        events.append(HeldEvent(number, name, previous, salt, event, commitment, first_index + number))
    return events


def test_the_keepers_log_and_the_events_behind_it_are_recomputed_too(disks: Disks) -> None:
    events, log = [*chain("", 200, 1), *chain("acme/main", 99, 201)], MemoryStore({})
    sound = report_of(disks, keeper=keeper_of(events, log))
    assert (sound.findings, sound.logs["keeper"].entries) == ([], 300)
    name = "tile/entries/000"
    log.objects[name] = log.objects[name].replace(b"commitment", b"commitmenu", 1)
    assert f"keeper/log/{name}" in {finding.object for finding in report_of(disks, keeper=keeper_of([], log)).findings}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda events: events.pop(), "event-missing"),
        (lambda events: events.pop(0), "event-chain"),
        (lambda events: events.__setitem__(1, replace(events[1], event=b'{"event":"other"}')), "event-changed"),
        (lambda events: events.__setitem__(1, replace(events[1], index=1)), "event-changed"),
    ],
)
def test_an_event_left_out_changed_or_moved_is_found(
    disks: Disks, damage: Callable[[list[HeldEvent]], object], code: str
) -> None:
    events, log = chain("acme/main", 5, 1), MemoryStore({})
    keeper_of(events, log)
    damage(events)
    assert code in {finding.code for finding in report_of(disks, keeper=keeper_of(events, log)).findings}


def test_a_node_that_was_opened_and_is_not_recomputed_is_missed() -> None:
    log = MemoryStore({})
    findings = report_of(Disks(), keeper=keeper_of([], log)).findings
    assert "node-missing" not in {finding.code for finding in findings}
    other = signer(f"{INSTALLATION}/n2", bytes(32)).verifier()
    keeper = signer(f"{INSTALLATION}/keeper", bytes(range(32)))
    TileLog(log, keeper).append([NodeOpened("n2", MORNING, other.name, other.vkey(), None).encode()])
    assert "node-missing" in {finding.code for finding in report_of(Disks(), keeper=keeper_of([], log)).findings}
