"""The gateway's commands, with OpenSSH's own client."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.diskvaults import ACME, GLOBEX, DiskVault, FixedClock, OpenKeeper
from tests.support.gateways import Gateway, make_key

from holdfast.gateway.admission import Bounds
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import Stream


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %d from 192.0.2.%d\n" % (n, n % 250) for n in range(first, first + count))


def access(first: int, count: int) -> bytes:
    return b"".join(
        b'192.0.2.%d - - [24/Nov/2026:06:00:00 +0000] "GET /%s/%d HTTP/1.1" %d 12 "-" "probe"\n'
        % (n % 250, b"api" if n % 2 else b"shop", n, 502 if n % 100 == 0 else 200)
        for n in range(first, first + count)
    )


@pytest.fixture
def vault(tmp_path: Path) -> DiskVault:
    vault = DiskVault(tmp_path, clock=FixedClock(Instant(time.time_ns())))
    node = vault.node()
    node.take(lines(0, 1000))
    node.take(access(0, 1000), Stream.WEB_ACCESS, file="access.log")
    node.seal()
    node.take(lines(1000, 500))
    return vault


@pytest.fixture
def gateway(tmp_path: Path, vault: DiskVault) -> Iterator[Gateway]:
    with Gateway(tmp_path, vault, OpenKeeper(vault)) as running:
        yield running


def test_lines_come_from_segments_and_journal_in_order_with_pseudonyms(gateway: Gateway) -> None:
    done = gateway.ssh("logs", "app")
    assert (done.returncode, done.stderr) == (0, b"")
    numbers = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert numbers == list(range(1500))
    assert b"192.0.2." not in done.stdout


def test_addresses_are_shown_to_those_entitled_who_ask_for_them(gateway: Gateway) -> None:
    assert gateway.ssh("logs", "app", "--clear").stdout == lines(0, 1500)


def test_options_select_lines(gateway: Gateway) -> None:
    def told(*words: str) -> list[bytes]:
        done = gateway.ssh("logs", *words)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.splitlines()

    assert [line.split()[1] for line in told("app", "--last", "2")] == [b"1498", b"1499"]
    assert [line.split()[1] for line in told("app", "--grep", "'line 77[0-9] '")] == [
        b"%d" % n for n in range(770, 780)
    ]
    assert len(told("app", "--last", "3", "--grep", "'^line 1'")) == 3
    assert len(told("web-access", "--status", "5xx")) == 10
    assert len(told("web-access", "--path", "/api/", "--status", "200")) == 500
    assert told("app", "--until", "1h") == []
    assert told("app", "--last", "1", "--line-numbers")[0].startswith(b"n1:1499 line 1499 ")
    [row] = [json.loads(line) for line in told("app", "--json", "--last", "1")]
    assert (row["node"], row["line"], row["attributes"]) == ("n1", 1499, {"file": "app.log"})


def test_what_policy_denies_says_so_with_its_policies_and_77(gateway: Gateway) -> None:
    done = gateway.ssh("logs", "ssh-access")
    assert (done.returncode, done.stdout) == (77, b"")
    assert b"refused" in done.stderr
    assert b"nobody-reads-ssh-access" in done.stderr


@pytest.mark.parametrize(
    "words",
    [("logs",), ("logs", "nope"), ("logs", "app", "--grep", "'('"), ("sh", "-c", "id"), ("logs", "app", "-x"), ()],
)
def test_wrong_use_is_explained_on_stderr_with_2(gateway: Gateway, words: tuple[str, ...]) -> None:
    done = gateway.ssh(*words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr


def test_following_shows_lines_as_they_come_across_sealing_and_rotation(gateway: Gateway, vault: DiskVault) -> None:
    with subprocess.Popen(
        gateway.ssh_words("logs", "app", "--follow", "--last", "1"), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as client:
        assert client.stdout is not None
        seen = [client.stdout.readline()]
        vault.pass_time(1)
        vault.node().take(lines(1500, 3))
        seen += [client.stdout.readline() for _ in range(3)]
        vault.node().seal()
        vault.node().take(lines(1503, 2))
        seen += [client.stdout.readline() for _ in range(2)]
        vault.node().take(lines(0, 5), Stream.SYSTEM)
        vault.node().take(lines(1505, 1))
        vault.node().seal()
        seen.append(client.stdout.readline())
        client.kill()
    assert [int(line.split()[1]) for line in seen] == list(range(1499, 1506))


def test_a_denial_at_renewal_ends_following(tmp_path: Path, vault: DiskVault) -> None:
    keeper = OpenKeeper(vault, lease_seconds=6)
    with Gateway(tmp_path, vault, keeper) as gateway:
        threading.Timer(1.0, keeper.readable.clear).start()
        done = gateway.ssh("logs", "app", "--follow", "--last", "1", seconds=20)
    assert done.returncode == 77
    assert b"no longer" in done.stderr


def test_a_reader_that_stops_ends_the_command_at_once(gateway: Gateway, vault: DiskVault) -> None:
    for first in range(0, 200_000, 20_000):
        vault.node().take(access(first, 20_000), Stream.WEB_ACCESS, file="access.log")
    began = time.monotonic()
    command = " ".join(f"'{word}'" for word in gateway.ssh_words("logs", "web-access"))
    told = subprocess.run(["sh", "-c", f"{command} | head -1"], capture_output=True, check=True, timeout=30).stdout
    assert len(told.splitlines()) == 1
    assert time.monotonic() - began < 5
    [(_, record)] = gateway.records(1)
    assert int(str(record["bytes_out"])) < 8 << 20


def test_a_terminal_gets_no_control_characters(gateway: Gateway, vault: DiskVault) -> None:
    vault.node().take(b"\x1b[31mred\x07\n")
    done = gateway.ssh("logs", "app", "--last", "1", options=("-tt",))
    assert done.stdout == b"\\x1b[31mred\\x07\r\n"
    assert gateway.ssh("logs", "app", "--last", "1").stdout == b"\x1b[31mred\x07\n"


def test_only_public_keys_are_offered(gateway: Gateway) -> None:
    done = gateway.ssh("help", key=gateway.stranger, options=("-v", "-o", "LogLevel=DEBUG1"))
    assert done.returncode == 255
    offered = set(re.findall(rb"can continue: ([^\r\n]*)", done.stderr))
    assert offered == {b"publickey"}


def test_an_unknown_environment_looks_like_a_key_that_may_not(gateway: Gateway) -> None:
    told = [
        gateway.ssh("help", login=login, key=key).stderr.replace(login.encode(), b"")
        for login, key in (
            ("acme--main", gateway.stranger),
            ("nobody--here", gateway.key),
            ("hunter2", gateway.key),
            ("globex--main", gateway.key),
        )
    ]
    assert set(told) == {b"@127.0.0.1: Permission denied (publickey).\r\n"}


@pytest.mark.parametrize("way", [("-L", "0:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes"), ("-W", "127.0.0.1:22")])
def test_nothing_is_forwarded(gateway: Gateway, way: tuple[str, ...]) -> None:
    if way[0] == "-W":
        assert gateway.ssh(options=way).returncode != 0
    else:
        assert gateway.ssh("help", options=("-R", "0:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes")).returncode != 0


def test_old_algorithms_are_not_spoken(gateway: Gateway) -> None:
    for option in (
        "KexAlgorithms=diffie-hellman-group14-sha1",
        "Ciphers=aes128-cbc",
        "HostKeyAlgorithms=ssh-rsa",
    ):
        assert gateway.ssh("help", options=("-o", option)).returncode == 255


def test_an_rsa_key_signs_with_sha2(gateway: Gateway, tmp_path: Path) -> None:
    key = tmp_path / "rsa"
    gateway.keeper.people[make_key(key, "rsa")] = next(iter(gateway.keeper.people.values()))
    assert gateway.ssh("help", key=key).returncode == 0
    assert gateway.ssh("help", key=key, options=("-o", "PubkeyAcceptedAlgorithms=ssh-rsa")).returncode == 255


def test_each_connection_leaves_one_record_and_no_name_as_typed(gateway: Gateway) -> None:
    gateway.ssh("logs", "app", "--grep", "topsecret")
    gateway.ssh("help", key=gateway.stranger)
    gateway.ssh("help", login="nobody--here")
    gateway.ssh("help", login="hunter2")
    gateway.ssh("help", login="globex--main")
    records = sorted(gateway.records(5), key=lambda taken: str(taken[1]["began"]))
    assert [(place, record["outcome"]) for place, record in records] == [
        ("acme/main", "served"),
        ("acme/main", "refused"),
        ("platform/unclaimed", "refused"),
        ("platform/unclaimed", "refused"),
        ("globex/main", "refused"),
    ]
    assert records[0][1] == records[0][1] | {
        "person": "p_00000000000000aa",
        "key": gateway.fingerprint,
        "address": "127.0.0.1",
        "channels": 1,
    }
    told = json.dumps(records)
    assert not any(word in told for word in ("topsecret", "hunter2", "nobody", "logs"))


def test_records_wait_for_a_node_that_is_away_and_come_once(gateway: Gateway) -> None:
    gateway.node.down = True
    gateway.ssh("help")
    gateway.ssh("help")
    time.sleep(0.5)
    assert gateway.node.lines == []
    gateway.node.down = False
    gateway.records(2)
    time.sleep(0.5)
    assert len(gateway.node.lines) == 2


def test_silent_connections_do_not_keep_others_out_for_long(tmp_path: Path, vault: DiskVault) -> None:
    import socket

    bounds = Bounds(unauthenticated=5, unauthenticated_from_one=5, login_seconds=2)
    with Gateway(tmp_path, vault, OpenKeeper(vault), bounds) as gateway:
        silent = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(20)]
        time.sleep(0.3)
        assert gateway.ssh("help").returncode == 255
        time.sleep(2.5)
        assert gateway.ssh("help").returncode == 0
        for each in silent:
            each.close()


def test_lines_of_several_nodes_are_merged_by_arrival(tmp_path: Path, vault: DiskVault) -> None:
    vault.node("n2")
    for number in range(1500, 1520):
        vault.pass_time(0.001)
        vault.node("n1" if number % 3 else "n2").take(lines(number, 1))
    with Gateway(tmp_path, vault, OpenKeeper(vault)) as gateway:
        done = gateway.ssh("logs", "app")
        assert [int(line.split()[1]) for line in done.stdout.splitlines()] == list(range(1520))
        done = gateway.ssh("logs", "app", "--last", "7")
        assert [int(line.split()[1]) for line in done.stdout.splitlines()] == list(range(1513, 1520))


def test_a_proof_of_a_line_is_handed_to_its_reader(gateway: Gateway) -> None:
    for line in (b"3", b"1400"):
        done = gateway.ssh("prove", "app", line.decode())
        assert done.returncode == 0
        assert done.stdout.startswith(
            b"holdfast-line-proof@v1\nenvironment acme/main\nstream app\nnode n1\nline " + line
        )
    assert gateway.ssh("prove", "app", "99999").returncode == 75
    assert gateway.ssh("prove", "ssh-access", "1").returncode == 77


def test_another_environments_lines_are_never_shown(gateway: Gateway, vault: DiskVault) -> None:
    vault.node().take(b"secret of globex\n", environment=GLOBEX)
    assert b"globex" not in gateway.ssh("logs", "app").stdout
    assert gateway.keeper.readable.keys() == {ACME}
