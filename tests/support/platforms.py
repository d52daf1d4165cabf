"""A whole installation for tests: a home of its own on free loopback ports, its processes, the operator's commands.

    with platform(tmp_path, register=REGISTER) as home:        # keeper, nodes, gateway and console under `holdfast up`
        home.token("acme/main"); home.http("n1"); home.verify(); home.lines("acme/main", Stream.APP)

The register is applied before the nodes start, so that they know it from their first line on. Every wait is bounded;
what a test leaves running is ended by process id.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.drivers.ready import READY
from holdfast.drivers.standing import read_standing
from holdfast.wiring.home import Home

ROOT = Path(__file__).parents[2]
NODES: Mapping[str, str] = {"n1": "local/local"}
REGISTER = """
[customers.acme.projects.acme.environments.main]
hosting = "local/local"
hosts = ["web1.acme.example"]
"""
START_SECONDS = 60.0


def until(true: Callable[[], bool], seconds: float = 30.0, what: str = "it") -> None:
    """Wait for something to become true, or fail."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago, each another one."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def variables() -> dict[str, str]:
    """The environment that `python -m holdfast` runs in: without settings of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return {**own, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "PYTHONUNBUFFERED": "1"}


def holdfast(*words: str | Path, seconds: float = 120.0, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """One command to its end."""
    command = [sys.executable, "-m", "holdfast", *map(str, words)]
    done = subprocess.run(command, env=variables(), capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or done.returncode == 0, f"{words[0]} ended with {done.returncode}: {done.stderr[-2000:]}"
    return done


def peak_mib(pid: int) -> float:
    """The most memory a process ever held (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(row.split()[1]) for row in status.split("\n") if row.startswith("VmHWM:")) / 1024


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one node listens."""

    syslog: int
    http: int


class Platform:
    """An installation in `folder/home`. What its processes say lies in `folder/<process>.log`."""

    def __init__(
        self, folder: Path, nodes: Mapping[str, str] = NODES, register: str = REGISTER, settings: str = ""
    ) -> None:
        """`nodes`: name → vendor/region; `settings`: more of holdfast.toml, whole tables."""
        self.folder, self.home = folder, Home.at(folder / "home")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        options = [word for name, hosting in nodes.items() for word in ("--node", f"{name}={hosting}")]
        holdfast("init", self.home.root, *options)
        ports = iter(free_ports(2 + 2 * len(nodes)))
        self.ssh, self.console = next(ports), next(ports)
        self.nodes = {name: Ports(next(ports), next(ports)) for name in nodes}
        self.home.settings_file.write_text(self._settings(nodes, settings))
        self.register(register)

    def _settings(self, nodes: Mapping[str, str], more: str) -> str:
        text = 'installation = "holdfast.localhost"\n'
        text += f"gateway.port = {self.ssh}\nconsole.port = {self.console}\n"
        for name, hosting in nodes.items():
            ports = self.nodes[name]
            text += f'nodes.{name} = {{ hosting = "{hosting}", syslog.port = {ports.syslog}, '
            text += f"http.port = {ports.http} }}\n"
        return text + more

    def register(self, document: str) -> None:
        """Apply a register. A node that runs knows it within two seconds."""
        file = self.folder / "register.toml"
        file.write_text(document)
        with self._keeper():
            holdfast("apply", file, "--home", self.home.root)

    def token(self, environment: str) -> str:
        """A new intake token; the keeper must be running."""
        return holdfast("token", "new", environment, "--home", self.home.root).stdout.strip()

    @contextmanager
    def _keeper(self) -> Iterator[None]:
        if self._running:
            yield
            return
        self.start("keeper")
        yield
        self.stop()

    # Processes

    def start(self, *words: str) -> int:
        """One process alone, as `holdfast <words>`: its pid, once it serves."""
        reading, writing = os.pipe()
        process = self._spawn(words[-1], words, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        with os.fdopen(reading, "rb") as ready:
            until(lambda: bool(ready.read()) or process.poll() is not None, START_SECONDS, f"{words[-1]} serving")
        assert process.poll() is None, f"{words[-1]} ended with {process.returncode}: {self.said(words[-1])[-2000:]}"
        return process.pid

    def up(self) -> None:
        """Everything, under `holdfast up`; returns when all of it serves."""
        process = self._spawn("up", ("up",))
        until(lambda: any(e == ("up", "ready") for e in self.told()) or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, f"up ended with {process.returncode}: {self.said('up')[-2000:]}"

    def _spawn(self, name: str, words: Sequence[str], ready: int | None = None) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "holdfast", *words, "--home", str(self.home.root)]
        environment = variables() | ({READY: str(ready)} if ready is not None else {})
        passed = (ready,) if ready is not None else ()
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=passed
            )
        return self._running[name]

    def pid(self, process: str) -> int | None:
        """The pid of a process that serves, alone or under `up`; None while it does not."""
        if process in self._running:
            return self._running[process].pid
        found = [one.pid for one in read_standing(self.home.standing) if (one.name, one.state) == (process, "ready")]
        return found[0] if found else None

    def kill(self, process: str) -> None:
        """kill -9, seen by whoever runs it."""
        pid = self.pid(process)
        assert pid is not None, f"{process} is not running"
        os.kill(pid, signal.SIGKILL)
        alone = self._running.pop(process, None)
        if alone is not None:
            alone.wait(30)
        else:
            until(lambda: self.pid(process) != pid, 10, f"the death of {process}")

    def stop(self) -> None:
        """Ask what runs to end, the newest first; all of it has to end well."""
        while self._running:
            name, process = self._running.popitem()
            process.terminate()
            assert process.wait(60) == 0, f"{name} ended with {process.returncode}: {self.said(name)[-2000:]}"

    def close(self) -> None:
        """End what still runs, at once. Children of `up` notice that it is gone and end themselves."""
        children = [one.pid for one in read_standing(self.home.standing) if one.pid] if "up" in self._running else []
        for process in self._running.values():
            process.kill()
            process.wait(30)
        self._running.clear()
        for pid in children:
            with suppress(AssertionError, ProcessLookupError):
                until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), 20)  # type: ignore[misc]

    def said(self, process: str) -> str:
        """Everything a process wrote, standard output and error."""
        path = self.folder / f"{process}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def told(self) -> list[tuple[str, str]]:
        """(process, event) of every event that `up` told."""
        rows = (_object(row) for row in self.said("up").split("\n"))
        return [(str(row.get("process")), str(row.get("event"))) for row in rows if row]

    # What an operator sees

    def verify(self) -> dict[str, Any]:
        """The report of `holdfast verify --json`, which must find everything sound."""
        done = holdfast("verify", "--home", self.home.root, "--json", "--processes", "1", check=False)
        report: dict[str, Any] = json.loads(done.stdout or "{}")
        assert done.returncode == 0, f"verify ended with {done.returncode}: {report.get('findings')} {done.stderr}"
        return report

    def syslog(self, node: str = "n1") -> socket.socket:
        """A new plain syslog connection."""
        return socket.create_connection(("127.0.0.1", self.nodes[node].syslog), timeout=30)

    def url(self, node: str = "n1") -> str:
        """Where a node takes lines over HTTP."""
        return f"http://127.0.0.1:{self.nodes[node].http}"

    def health(self, node: str = "n1") -> bool:
        """Whether the node says that it takes lines."""
        try:
            with urllib.request.urlopen(self.url(node) + "/health", timeout=10) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def _object(row: str) -> dict[str, Any] | None:
    try:
        found = json.loads(row)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def platform(
    folder: Path,
    *,
    nodes: Mapping[str, str] = NODES,
    register: str = REGISTER,
    settings: str = "",
    processes: Sequence[str] = (),
) -> Iterator[Platform]:
    """An installation, running: everything under `up`, or only the processes named (`keeper`, `n1`, ...), alone."""
    made = Platform(folder, nodes, register, settings)
    try:
        for process in processes:
            made.start(*(("node", process) if process in nodes else (process,)))
        if not processes:
            made.up()
        yield made
    finally:
        made.close()
