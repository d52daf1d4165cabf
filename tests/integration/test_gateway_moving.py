"""Readers while the vault moves under them, and a gateway with the real keeper and nodes behind it."""

import json
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.support.diskvaults import DiskVault, FixedClock, OpenKeeper
from tests.support.gateways import Gateway, make_key
from tests.support.heldlines import messages
from tests.support.platforms import Platform, holdfast, until
from tests.support.registers import TWO_CUSTOMERS

from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.names import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %d from 192.0.2.%d\n" % (n, n % 250) for n in range(first, first + count))


def test_readers_see_every_line_once_while_lines_come_in_and_are_sealed(tmp_path: Path) -> None:
    vault = DiskVault(tmp_path, clock=FixedClock(Instant(time.time_ns())))
    node, taken, stop = vault.node(), [0], threading.Event()
    day, here = day_of(vault.clock.now()), tmp_path / "here"
    here.mkdir()

    def more() -> None:
        count = taken[0] % 7 * 40 + 1
        node.take(lines(taken[0], count))
        taken[0] += count
        vault.pass_time(0.001)

    def write() -> None:
        for number in range(10_000):
            if stop.is_set():
                return
            more()
            if number % 20 == 19:
                node.seal()
            time.sleep(0.01)

    more()
    with Gateway(tmp_path, vault, OpenKeeper(vault)) as gateway:
        writer = threading.Thread(target=write)
        writer.start()
        words = gateway.ssh_words("logs", "app", "--follow", "--since", "2d", "--clear")
        with (tmp_path / "followed").open("wb") as sink, subprocess.Popen(words, stdout=sink, stdin=-3) as client:
            for i in range(8):
                get = "reget" if i else "get"
                assert gateway.sftp(f"{get} clear/app/{day}.log x.log\n", here).returncode == 0
                whole = gateway.ssh("logs", "app", "--clear")
                assert whole.returncode == 0
                for text in ((here / "x.log").read_bytes(), whole.stdout):
                    assert lines(0, taken[0] + 300).startswith(text)
            stop.set()
            writer.join()
            until(lambda: (tmp_path / "followed").read_bytes() == lines(0, taken[0]), 10, "every line followed")
            client.kill()


def test_a_customer_reads_their_own_and_leaves_a_record_each_time(tmp_path: Path) -> None:
    key, stranger = tmp_path / "ada", tmp_path / "eve"
    make_key(key)
    make_key(stranger)
    register = TWO_CUSTOMERS.format(key=key.with_suffix(".pub").read_text().strip())
    home = Platform(tmp_path / "p", {"n1": "vendor/west", "n2": "vendor/east"}, register)
    try:
        home.up()
        log = tmp_path / "app.log"
        log.write_bytes(lines(0, 500))
        token = tmp_path / "token"
        token.write_text(home.token("acme/main"))
        token.chmod(0o600)
        where = [
            "--environment",
            "acme/main",
            "--stream",
            "app",
            "--node",
            home.url("n1"),
            "--token-file",
            str(token),
            "--state",
            str(tmp_path / "state"),
        ]
        holdfast("send", str(log), *where)

        def ssh(*words: str, login: str = "acme--main", identity: Path = key) -> "subprocess.CompletedProcess[bytes]":
            options = ["IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=no", "LogLevel=ERROR"]
            options += ["UserKnownHostsFile=/dev/null", f"IdentityFile={identity}"]
            given = [word for option in options for word in ("-o", option)]
            command = ["ssh", "-F", "none", *given, "-p", str(home.ssh), f"{login}@127.0.0.1", *words]
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)

        done = ssh("logs", "app")
        assert (done.returncode, done.stderr) == (0, b"")
        assert [int(line.split()[1]) for line in done.stdout.splitlines()] == list(range(500))
        assert b"192.0.2." not in done.stdout
        assert ssh("logs", "app", "--clear").stdout == lines(0, 500)
        assert ssh("logs", "ssh-access").returncode == 77
        assert ssh("help", login="globex--main").returncode == 255
        assert ssh("help", identity=stranger).returncode == 255
        assert ssh("help", login="no--body").returncode == 255
        assert ssh("prove", "app", "7").stdout.startswith(b"holdfast-line-proof@v1\n")

        def told(environment: str) -> list[dict[str, object]]:
            return [json.loads(line) for line in messages(home.home, environment, Stream.SSH_ACCESS)]

        until(lambda: len(told("acme/main")) == 5, 20, "the records")
        assert [record["outcome"] for record in told("acme/main")].count("refused") == 1
        assert [record["outcome"] for record in told("globex/main")] == ["refused"]
        assert [record["outcome"] for record in told("platform/unclaimed")] == ["refused"]
        assert "127.0.0.1" not in json.dumps(told("acme/main"))
        assert "no--body" not in json.dumps(told("platform/unclaimed"))
    finally:
        home.close()
