"""`holdfast up --demo`, and every command it prints, typed as it stands: with OpenSSH's ssh and sftp."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.sendprocess import ROOT, free_port, until

PORTS = ("NODES__N1__SYSLOG", "NODES__N2__SYSLOG", "NODES__N1__HTTP", "NODES__N2__HTTP", "GATEWAY", "CONSOLE")


BURST = 4000
"""Lines of Alice's web-access at least, once the demo has begun."""


class Demo:
    """A running demo and what it said. Commands are typed in `here`."""

    def __init__(self, here: Path) -> None:
        self.here, self.said = here, list[dict[str, Any]]()
        ports = {f"HOLDFAST_{name}__PORT": str(free_port()) for name in PORTS}
        self._environment = {**os.environ, **ports, "PYTHONPATH": str(ROOT / "src"), "HOLDFAST_SEALING__SECONDS": "4"}
        self.start()

    def start(self) -> None:
        """Start it; it may have run before."""
        self.said.clear()
        command = [sys.executable, "-m", "holdfast", "up", "--demo", "--home", ".home"]
        self._process = subprocess.Popen(command, cwd=self.here, env=self._environment, stdout=subprocess.PIPE)
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        until(lambda: self._process.poll() is not None or "status" in self.commands, 60)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            self.said.extend(json.loads(line) for line in lines)

    def stop(self) -> int:
        """As Ctrl-C does; its exit status."""
        self._process.terminate()
        status = self._process.wait(60)
        self._reading.join()
        return status

    @property
    def commands(self) -> dict[str, str]:
        """The commands it printed, by name."""
        return {one["fields"]["name"]: one["fields"]["command"] for one in self.said if one["event"] == "try"}

    def type(self, command: str) -> "subprocess.CompletedProcess[str]":
        """What a shell says to it."""
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.here,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start_typing(self, command: str) -> "subprocess.Popen[str]":
        """The same, for a command that goes on."""
        arguments = shlex.split(command)
        return subprocess.Popen(arguments, cwd=self.here, env=self._environment, stdout=subprocess.PIPE, text=True)

    def day(self) -> int:
        """How many lines of today Alice gets by sftp."""
        self.type(self.commands["sftp"].replace(" /tmp/", " first.log"))
        got = self.here / "first.log"
        return got.read_bytes().count(b"\n") if got.exists() else 0

    def sealed(self) -> list[Path]:
        """Alice's web-access segments."""
        return list((self.here / ".home/stores").rglob("acme/main/web-access/**/*.parquet"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    assert all(map(shutil.which, ("ssh", "sftp"))), "the tests need OpenSSH's clients"
    running = Demo(tmp_path_factory.mktemp("demo"))
    try:
        # The commands are printed when everything is ready; the burst of lines comes in while a person reads them.
        until(lambda: running.day() >= BURST, 60)
        yield running
    finally:
        running.stop()
    assert not [one for one in running.said if one["level"] not in ("info", "warning")]


def test_a_customer_sees_their_own_lines_come_in(demo: Demo) -> None:
    following = demo.start_typing(demo.commands["read"])
    try:
        assert following.stdout is not None
        lines = [following.stdout.readline() for _ in range(20)]  # ten that were there, and as many new ones
        assert all('" 200 ' in line or "HTTP/1." in line for line in lines)
    finally:
        following.terminate()
        following.communicate()


def test_a_customer_is_refused_the_logs_of_another(demo: Demo) -> None:
    refused = demo.type(demo.commands["refused"])
    assert (refused.returncode, refused.stdout) == (255, "")
    assert "Permission denied" in refused.stderr


def test_a_day_is_a_file_that_sftp_gets(demo: Demo) -> None:
    command = demo.commands["sftp"].replace(" /tmp/", " day.log")
    got = demo.type(command)
    assert got.returncode == 0, got.stderr
    assert (demo.here / "day.log").read_bytes().count(b"\n") >= BURST


def test_the_application_log_comes_by_send_and_strangers_are_unclaimed(demo: Demo) -> None:
    until(lambda: demo.type(demo.commands["app"]).stdout.count("\n") == 3)
    unclaimed = demo.type(demo.commands["unclaimed"])
    assert "scanner-7" in unclaimed.stdout, unclaimed.stderr


def test_one_bit_flipped_is_found_and_named_and_flipped_back_it_is_whole(demo: Demo) -> None:
    verify, again = demo.commands["verify"], demo.commands["verify-again"]
    assert demo.type(verify).returncode == 0
    until(lambda: bool(demo.sealed()), 40)
    flipped = demo.type(demo.commands["flip"])
    assert flipped.returncode == 0, flipped.stderr
    back = flipped.stdout.partition("to flip it back: ")[2]
    damaged = demo.type(again)
    assert damaged.returncode == 1
    assert f"DAMAGED {back.split('stores/')[1].partition('/')[2].strip()}" in damaged.stdout
    assert demo.type(back).returncode == 0
    whole = demo.type(verify)
    assert whole.returncode == 0, whole.stdout


def test_a_line_is_proved_to_an_outsider(demo: Demo) -> None:
    proof = demo.here / "line.proof"
    prove, check = (demo.commands[name].replace("/tmp/line.proof", "line.proof") for name in ("prove", "check"))
    made = demo.type(prove)
    assert made.returncode == 0, made.stderr
    holds = demo.type(check)
    assert holds.returncode == 0
    assert holds.stdout.startswith("holds: line 42 of acme/main web-access")
    proof.write_bytes(proof.read_bytes().replace(b"a", b"b", 1))
    assert demo.type(check).returncode == 1


def test_started_again_it_goes_on(demo: Demo) -> None:
    assert demo.stop() == 0
    demo.start()
    assert demo.type(demo.commands["verify"]).returncode == 0
    assert demo.type(demo.commands["status"]).returncode == 0
