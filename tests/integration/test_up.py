"""`holdfast up` for real: everything started, killed, started again, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.sendprocess import ROOT, free_port, until

from holdfast.drivers.standing import read_standing
from holdfast.wiring.home import Home
from holdfast.wiring.initialising import initialise

ALL = {"keeper", "n1", "gateway", "console"}


class Up:
    """A running `holdfast up`, and what it said."""

    def __init__(self, home: Home) -> None:
        self.home, self.said = home, list[dict[str, Any]]()
        self.process = subprocess.Popen(command("up", home), stdout=subprocess.PIPE, env=environment())
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.said.extend(json.loads(line) for line in lines)

    def waited(self, process: str, event: str, times: int = 1) -> None:
        """Until that was said so many times."""

        def heard() -> bool:
            assert self.process.poll() is None, self.said
            return len([1 for one in self.said if (one["process"], one["event"]) == (process, event)]) >= times

        until(heard, 60)

    def pid(self, process: str) -> int:
        """The process's number now."""
        [found] = [one.pid for one in read_standing(self.home.standing) if one.name == process and one.pid]
        return found

    def end(self, number: int = signal.SIGINT) -> int:
        """Tell it to stop; its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        self._reading.join()
        return status


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def command(name: str, home: Home) -> list[str]:
    return [sys.executable, "-m", "holdfast", name, "--home", str(home.root)]


def run(name: str, home: Home) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(name, home), capture_output=True, text=True, env=environment(), check=False)


def a_home(folder: Path) -> Home:
    """A home on ports of its own."""
    made = Home.at(folder / "home")
    console, gateway, syslog, http = (free_port() for _ in range(4))
    text = f"installation = 'up.example'\nconsole.port = {console}\ngateway.port = {gateway}\n[nodes.n1]\n"
    initialise(made, text=text + f"hosting = 'a/b'\nsyslog.port = {syslog}\nhttp.port = {http}\n")
    return made


@contextmanager
def running(home: Home) -> Iterator[Up]:
    """`holdfast up`, ready."""
    up = Up(home)
    try:
        up.waited("up", "ready")
        yield up
    finally:
        if up.process.poll() is None:
            up.end()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home."""
    return a_home(tmp_path)


@pytest.fixture
def up(home: Home) -> Iterator[Up]:
    """One to be stopped."""
    with running(home) as one:
        yield one


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that goes on."""
    with running(a_home(tmp_path_factory.mktemp("lasting"))) as one:
        yield one


def gone(pids: list[int]) -> Callable[[], bool]:
    return lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_ready_means_that_everything_answers(lasting: Up) -> None:
    settings = lasting.home.open()
    for _, listener in settings.listeners():
        socket.create_connection(listener.place, timeout=5).close()
    with urllib.request.urlopen(f"http://{settings.console}/health", timeout=5) as answer:
        assert json.load(answer)["status"] == "well"
    assert run("status", lasting.home).returncode == 0


def test_ctrl_c_stops_all_cleanly_and_the_keeper_last(up: Up) -> None:
    pids = [up.pid(name) for name in ALL]
    assert up.end(signal.SIGINT) == 0
    assert gone(pids)()
    stopped = [one["process"] for one in up.said if one["event"] == "stopped"]
    assert set(stopped) == ALL | {"up"}
    assert stopped[-2:] == ["keeper", "up"]
    assert stopped.index("gateway") < stopped.index("n1")


@pytest.mark.parametrize("process", sorted(ALL))
def test_a_killed_process_is_said_and_started_again(lasting: Up, process: str) -> None:
    os.kill(lasting.pid(process), signal.SIGKILL)
    lasting.waited(process, "died")
    lasting.waited(process, "ready", times=2)
    [death] = [one for one in lasting.said if (one["process"], one["event"]) == (process, "died")]
    assert death["fields"] == {"signal": "SIGKILL"}
    assert run("status", lasting.home).returncode == 0


def test_only_one_up_runs_on_a_home(lasting: Up) -> None:
    second = run("up", lasting.home)
    assert second.returncode == 75
    assert "already-running" in second.stderr


def test_when_up_is_killed_nothing_is_left_running(up: Up) -> None:
    pids = [up.pid(name) for name in ALL]
    up.process.kill()
    until(gone(pids), 60)


def test_a_taken_port_ends_up_with_78_and_names_the_setting(home: Home) -> None:
    with socket.create_server(home.open().console.place):
        said = run("up", home)
    assert said.returncode == 78
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    [error] = [line["error"] for line in lines if line.get("error")]
    assert error["code"] == "address-taken"
    assert error["fields"]["setting"] == "console"
    assert not any(one["event"] == "restarting" for one in lines if one["process"] == "console")


def test_loose_permissions_refuse_to_start(home: Home) -> None:
    home.keys.chmod(0o750)
    said = run("up", home)
    assert said.returncode == 78
    assert f"chmod 700 {home.keys}" in said.stderr


def test_a_second_signal_kills(up: Up) -> None:
    """A process that does not stop by itself is not waited for any longer."""
    os.kill(up.pid("n1"), signal.SIGSTOP)
    up.process.send_signal(signal.SIGTERM)
    up.waited("gateway", "stopped")
    time.sleep(0.2)
    assert up.end(signal.SIGTERM) == 0
