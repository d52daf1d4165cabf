"""A real keeper over real sockets: who gets what, and what outlives a restart."""

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.keepers import TODAY, KeeperHome, keeper_home, register, segment, ssh_key
from tests.support.platforms import until

from holdfast.drivers.gatewaykeeper import GatewayKeeper
from holdfast.drivers.keeperclient import AsyncKeeperClient, KeeperClient
from holdfast.drivers.memory import Faults
from holdfast.formats import canonical
from holdfast.formats.entries import EventEntry, NodeOpened, event_commitment, key_commitment, parse_entry
from holdfast.formats.messages import MESSAGE_LIMIT, MessageReader
from holdfast.formats.spelling import encode64
from holdfast.keeper.paths import KeeperPaths
from holdfast.kernel.errors import (
    BusyError,
    ConfigurationError,
    ConflictError,
    MalformedError,
    OutcomeUnknownError,
    RefusedError,
)
from holdfast.kernel.instants import Day
from holdfast.kernel.keys import KeyKind, KeyRequest
from holdfast.kernel.names import UNCLAIMED, EnvironmentName, NodeName, Stream
from holdfast.kernel.segments import Hosting

ACME = EnvironmentName("acme/main")
GLOBEX = EnvironmentName("globex/main")
N1 = NodeName("n1")


@pytest.fixture(scope="module")
def begun() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        keeper_home(Path(folder))
        yield Path(folder)


@pytest.fixture
def home(begun: Path) -> Iterator[KeeperHome]:
    # Not tmp_path: a socket's path has 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        shutil.copytree(begun, folder, dirs_exist_ok=True)
        yield KeeperHome(KeeperPaths.under(Path(folder)))


def requests(kind: KeyKind, environment: EnvironmentName = ACME, count: int = 1) -> list[KeyRequest]:
    stream = None if kind is KeyKind.PSEUDONYM else Stream.APP
    return [KeyRequest(kind, environment, stream, TODAY)] * count


def person(home: KeeperHome, who: str, login: str = "acme--main") -> str | None:
    found: str | None = home.client("gateway").call("authenticate", fingerprint=ssh_key(who)[1], login=login)["person"]
    return found


def read(home: KeeperHome, who: str, environment: str = ACME, stream: str = "app", form: str = "pseudonym") -> Any:
    arguments = {"person": person(home, who), "fingerprint": ssh_key(who)[1], "environment": environment}
    return home.client("gateway").call("open", **arguments, stream=stream, form=form, since=None, until=None)


def test_a_customer_reads_their_own_and_nobody_elses(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        journal, sealing = node.make_keys(requests(KeyKind.JOURNAL) + requests(KeyKind.SEGMENT))
        (address,) = node.make_keys(requests(KeyKind.PSEUDONYM))
        node.sealed([segment(sealing, N1, 0)], [])
        own = read(home, "ada")
        assert own["allowed"]
        assert own["policies"] == ["customer-reads-own"]
        assert own["lease_seconds"] == 60
        assert own["pseudonyms"] == {}
        (row,) = own["segments"]
        assert row["store"] == "aws-eu-west-1"
        assert row["key_bytes"] == encode64(sealing.key.reveal())
        expected = {"id": journal.id, "node": "n1", "day": TODAY, "key_bytes": encode64(journal.key.reveal())}
        assert own["journal"] == [expected]
        clear = read(home, "ada", form="clear")
        assert clear["pseudonyms"] == {TODAY: encode64(address.key.reveal())}
        team = read(home, "dana")
        assert team["policies"] == ["relevant-team-reads"]
        denied = [
            read(home, "grace"),
            read(home, "dana", form="clear"),
            read(home, "dana", stream="system"),
            read(home, "nobody"),
            read(home, "olga"),
            read(home, "ada", environment="acme/other"),
        ]
        for reply in denied:
            assert (reply["allowed"], reply["segments"], reply["journal"], reply["pseudonyms"]) == (False, [], [], {})
        closed = read(home, "ada", stream="ssh-access")
        assert (closed["allowed"], closed["policies"]) == (False, ["ssh-access-closed"])


def test_the_operations_team_alone_reads_what_maps_nowhere(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        (key,) = node.make_keys(requests(KeyKind.JOURNAL, UNCLAIMED))
        assert read(home, "olga", UNCLAIMED)["journal"][0]["id"] == key.id
        assert not read(home, "olga", UNCLAIMED, form="clear")["allowed"]
        assert not read(home, "dana", UNCLAIMED)["allowed"]


def test_a_removed_ssh_key_counts_at_the_next_question(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        ada = person(home, "ada")
        changed = register()
        changed["people"]["ada"]["keys"] = [ssh_key("ada-new")[0]]
        home.operator().apply(changed)
        gateway = home.client("gateway")
        old = {"fingerprint": ssh_key("ada")[1]}
        assert gateway.call("authenticate", login="acme--main", **old)["reason"] == "unknown-ssh-key"
        reply = gateway.call("open", person=ada, environment=ACME, stream="app", form="pseudonym", **old)
        assert (reply["allowed"], reply["policies"]) == (False, ["ssh-key-not-theirs"])
        found = gateway.call("streams", person=ada, fingerprint=ssh_key("ada-new")[1], environment=ACME)["streams"]
        both, none = {"pseudonym": True, "clear": True}, {"pseudonym": False, "clear": False}
        assert found == {"app": both, "system": both, "web-access": both, "ssh-access": none}


def test_authentication_says_who_and_whether_they_may_connect(home: KeeperHome) -> None:
    async def ask() -> list[Any]:
        keeper = GatewayKeeper(AsyncKeeperClient(home.paths.socket("gateway")))
        logins = ["acme--main", "globex--main", "acme--none", "hunter2"]
        found = [await keeper.authenticate(ssh_key("ada")[1], login) for login in logins]
        await keeper._client.close()
        return found

    with home.running():
        home.operator().apply(register())
        (own, other, missing, odd) = asyncio.run(ask())
        assert own[1].policies == ("customer-connects-own",)
        assert len({own[0], other[0], missing[0], odd[0]}) == 1
        assert own[0].startswith("p_")
        assert [answer[1].reason for answer in (other, missing, odd)] == [
            "no-policy-permits",
            "unknown-environment",
            "unknown-environment",
        ]


def test_everything_is_there_again_after_a_restart(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        made = node.make_keys(requests(KeyKind.JOURNAL, count=2) + requests(KeyKind.PSEUDONYM))
    with home.running():
        node = home.node()
        assert node.make_keys(requests(KeyKind.PSEUDONYM))[0].key == made[2].key
        assert node.open_keys([made[0].id, made[1].id]) == {key.id: key for key in made[:2]}
        assert home.operator().apply(register())["changes"] == []
        opened = [entry for entry in map(parse_entry, home.log.entries) if isinstance(entry, NodeOpened)]
        assert [entry.origin for entry in opened] == ["logs.example/n1"]


def test_a_client_reconnects_once_and_says_when_the_keeper_is_away(home: KeeperHome) -> None:
    client = KeeperClient(home.paths.socket("console"))
    with pytest.raises(BusyError, match="keeper-unreachable"):
        client.call("health")
    with home.running():
        assert client.call("health")["healthy"] is True
    with home.running():
        assert client.call("counts")["nodes"] == 0
    with pytest.raises(BusyError, match="keeper-unreachable"):
        client.call("health")
    client.close()


def test_another_master_key_or_an_open_one_does_not_start(home: KeeperHome) -> None:
    path = home.paths.master_key
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="open to others"), home.running():
        pass
    path.chmod(0o600)
    path.write_bytes(os.urandom(32))
    with pytest.raises(ConfigurationError, match="does not open this epoch key"), home.running():
        pass


def test_two_keepers_do_not_run_on_one_home(home: KeeperHome) -> None:
    with home.running(), pytest.raises(ConflictError, match="already-running"), home.running():
        pass


def test_destruction_waits_for_leases_and_survives_a_restart(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        home.clock.pass_seconds(61)  # a keeper that starts takes every key as leased
        journal, sealing = node.make_keys(requests(KeyKind.JOURNAL) + requests(KeyKind.SEGMENT))
        assert read(home, "ada")["journal"]
        node.sealed([segment(sealing, N1, 0)], [journal.id])
        after = read(home, "ada")
        assert (after["journal"], len(after["segments"])) == ([], 1)
        home.clock.pass_seconds(30)
        time.sleep(1.5)
        assert home.operator().status()["keys_waiting"] == 1
    with home.running():
        assert home.operator().status()["keys_waiting"] == 1
        home.clock.pass_seconds(61)
        wait_until(lambda: home.operator().status()["keys_waiting"] == 0)
        assert home.operator().catalogue().keys[journal.id].state == "destroyed"
        assert home.node().open_keys([journal.id]) == {}
        home.node().sealed([segment(sealing, N1, 0)], [journal.id])
    stored = b"".join(path.read_bytes() for path in home.paths.folder.glob("keeper.sqlite3*"))
    assert encode64(key_commitment(journal.key)).encode() in stored
    assert journal.key.reveal() not in stored


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_segments_that_do_not_fit_are_refused(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        one, two, other = node.make_keys(requests(KeyKind.SEGMENT, count=2) + requests(KeyKind.JOURNAL))
        node.sealed([segment(one, N1, 0, 10)], [])
        node.sealed([segment(one, N1, 0, 10)], [])
        with pytest.raises(ConflictError, match="segment-differs"):
            node.sealed([segment(one, N1, 0, 11)], [])
        with pytest.raises(ConflictError, match="segment-overlaps"):
            node.sealed([segment(two, N1, 9)], [])
        with pytest.raises(ConflictError, match="segment-key"):
            node.sealed([segment(other, N1, 10)], [])
        with pytest.raises(MalformedError, match="segment-name"):
            node.sealed([segment(two, NodeName("n2"), 10)], [])
        with pytest.raises(ConflictError, match="key-unknown"):
            node.sealed([segment(two, N1, 10)], [one.id])
        assert len(home.operator().catalogue().segments) == 1
        node.sealed([segment(two, N1, 10)], [other.id])
        assert home.operator().status()["lines"] == 20


def test_a_node_gets_keys_for_its_own_hosting_and_never_a_sealed_segments_key(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        with pytest.raises(RefusedError, match="policy-denies"):
            node.make_keys(requests(KeyKind.JOURNAL, GLOBEX))
        (key,) = home.node("n2", Hosting("ovh", "gra")).make_keys(requests(KeyKind.JOURNAL, GLOBEX))
        with pytest.raises(RefusedError, match="policy-denies"):
            node.open_keys([key.id])
        (sealing,) = node.make_keys(requests(KeyKind.SEGMENT))
        with pytest.raises(RefusedError, match="policy-denies"):
            node.open_keys([sealing.id])
        with pytest.raises(ConflictError, match="node-differs"):
            home.node("n1", Hosting("ovh", "gra"))
        with pytest.raises(RefusedError, match="node-unknown"):
            home.client("node").call("make-keys", node="n9", requests=[])
        yesterday = KeyRequest(KeyKind.PSEUDONYM, ACME, None, Day("2026-11-23"))
        with pytest.raises(RefusedError, match="pseudonym-day"):
            node.make_keys([yesterday])
        home.clock.instant = home.clock.instant - 12 * 3600 * 10**9 + 5 * 60 * 10**9
        node.make_keys([yesterday])


def test_every_event_is_in_the_log_and_unfolds_to_its_commitment(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        node = home.node()
        keys = node.make_keys(requests(KeyKind.JOURNAL, count=3))
        read(home, "ada")
        read(home, "ada")
        home.operator().new_token(ACME, "web1")
        events = list(home.operator().events())
        entries = [parse_entry(entry) for entry in home.log.entries]
        for event in events:
            assert event.index is not None
            entry = entries[event.index]
            assert isinstance(entry, EventEntry)
            assert entry.commitment == event_commitment(event.salt, canonical.load(event.event))
        kinds = [canonical.load_object(event.event)["kind"] for event in events]
        assert kinds == ["register", "keys-made", "read", "token-made"]
        made = canonical.load_object(events[1].event)["keys"]
        assert made == [
            {"id": key.id, "kind": "journal", "commitment": encode64(key_commitment(key.key))} for key in keys
        ]
        own = [event for event in events if event.environment == ACME]
        assert [event.number for event in own] == [0, 1]
        assert own[1].previous == own[0].commitment
        assert not any(b"acme" in entry or b"p_" in entry for entry in home.log.entries)


def test_a_token_is_known_by_its_digest(home: KeeperHome) -> None:
    recorder = home.initialise()
    with home.running():
        home.operator().apply(register())
        node = home.node()
        token = home.operator().new_token(ACME, "web1")
        grant = node.check_token(token)
        assert grant is not None
        assert (grant.kind, grant.environment) == ("sender", ACME)
        found = node.check_token(type(token)(recorder))
        assert found is not None
        assert (found.kind, found.environment) == ("recorder", None)
        assert node.check_token(type(token)(b"hf_guess")) is None


def test_the_host_map_follows_the_register(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        found = home.node().host_map()
        assert found == {
            "environments": {"acme/main": "aws/eu-west-1", "globex/main": "ovh/gra", UNCLAIMED: "platform/any"},
            "hosts": {"web1.acme.example": "acme/main", "web1.globex.example": "globex/main"},
            "rules": [{"host": "web1.acme.example", "program": "pgbouncer", "stream": "app"}],
            "version": 1,
        }
        changed = register()
        del changed["customers"]["globex"], changed["people"]["grace"]
        assert home.operator().apply(changed)["version"] == 2
        assert set(home.node().host_map()["environments"]) == {"acme/main", UNCLAIMED}
        with pytest.raises(ConflictError, match="name-closed"):
            home.operator().apply(register())


def test_the_operator_opens_keys_to_verify(home: KeeperHome) -> None:
    with home.running():
        home.operator().apply(register())
        made = home.node().make_keys(requests(KeyKind.JOURNAL) + requests(KeyKind.SEGMENT))
        catalogue = home.operator().catalogue()
        assert set(catalogue.keys) == {key.id for key in made}
        assert [node.hosting for node in catalogue.nodes] == ["aws/eu-west-1"]
        assert home.operator().open_keys(list(catalogue.keys)) == {key.id: key for key in made}


def test_the_operator_sees_what_decisions_rest_on_and_no_names(home: KeeperHome) -> None:
    with home.running():
        changed = register()
        home.operator().apply(changed)
        dana = next(one for one in home.operator().persons() if one.teams == {"support"})
        assert (dana.id, dana.fingerprints, dana.customers) == (person(home, "dana"), {ssh_key("dana")[1]}, set())
        assert len(home.operator().persons()) == 5
        places = {place.name: place for place in home.operator().environments()}
        assert set(places) == {ACME, GLOBEX, UNCLAIMED}
        assert (places[ACME].customer, places[ACME].relevant_teams) == ("acme", {"support"})
        assert "Dana" not in str(home.client("operator").call("persons"))
        del changed["people"]["nobody"]
        home.operator().apply(changed)
        assert len(home.operator().persons()) == 4


@pytest.mark.parametrize(("role", "verb"), [("node", "open"), ("gateway", "apply"), ("console", "open-verify")])
def test_a_verb_of_another_role_is_refused(home: KeeperHome, role: str, verb: str) -> None:
    with home.running(), pytest.raises(RefusedError, match="no such verb"):
        home.client(role).call(verb)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ((MESSAGE_LIMIT + 1).to_bytes(4, "big"), "message-size"),
        (b"\0\0\0\2[]", "message"),
        (b"\0\0\0\1{", "message"),
        (b"\0\0\0\2\xff\xfe", "message"),
    ],
)
def test_a_bad_message_gets_an_error_and_the_connection_ends(home: KeeperHome, sent: bytes, code: str) -> None:
    with home.running(), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(home.paths.socket("node")))
        connection.sendall(sent)
        messages = MessageReader()
        while data := connection.recv(4096):
            messages.receive(data)
        reply = messages.next_message()
        assert reply is not None
        assert reply["error"]["code"] == code


def test_bad_arguments_are_named_and_never_repeated(home: KeeperHome) -> None:
    with home.running():
        gateway = home.client("gateway")
        with pytest.raises(MalformedError) as found:
            gateway.call("authenticate", fingerprint="hunter2", login="acme--main")
        assert "hunter2" not in str(found.value)
        with pytest.raises(MalformedError, match="argument=colour"):
            gateway.call("authenticate", colour="red")
        with pytest.raises(MalformedError, match="argument=requests"):
            home.client("node").call("make-keys", node="n1", requests={})


def test_eight_hundred_keys_are_made_in_a_moment(home: KeeperHome) -> None:
    many = register()
    many["customers"]["acme"]["projects"]["acme"]["environments"] = {
        f"e{number}": {"hosting": "aws/eu-west-1"} for number in range(400)
    }
    many["staff"]["teams"]["support"]["environments"] = ["acme/e1"]
    with home.running():
        home.operator().apply(many)
        node = home.node()
        wanted = [
            KeyRequest(kind, EnvironmentName(f"acme/e{number}"), stream, TODAY)
            for number in range(400)
            for kind, stream in ((KeyKind.JOURNAL, Stream.APP), (KeyKind.PSEUDONYM, None))
        ]
        started = time.perf_counter()
        assert len(node.make_keys(wanted)) == 800
        took = time.perf_counter() - started
        print(f"800 keys in {took * 1000:.0f} ms")
        assert took < 5


def test_the_sockets_are_the_owners_alone(home: KeeperHome) -> None:
    with home.running():
        for role in ("node", "gateway", "console", "operator"):
            assert home.paths.socket(role).stat().st_mode & 0o777 == 0o600
    assert not home.paths.socket("node").exists()


def test_a_log_in_doubt_ends_the_keeper_and_the_next_one_goes_on(home: KeeperHome) -> None:
    def doubted() -> None:
        with home.running():
            home.operator().apply(register())
            home.log.faults = Faults(0, error=OutcomeUnknownError("log-in-doubt", "a log must be opened again"))
            home.operator().new_token(ACME, "one")
            until(lambda: not home.paths.socket("operator").exists(), 10)

    with pytest.raises(OutcomeUnknownError, match="log-in-doubt"):
        doubted()
    with home.running():
        assert all(event.index is not None for event in home.operator().events())
