"""A home with its keeper and one node as processes of their own, to be killed."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.sendprocess import environment, free_port, until

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.wiring.home import Home

_MAIN = "import sys; from pathlib import Path; from holdfast.wiring.home import Home; home = Home(Path(sys.argv[1]));"
_INITIALISE = _MAIN + "from holdfast.wiring.initialising import initialise; initialise(home)"
_RUN = _MAIN + "from holdfast.wiring.processes import run_process;"
_KEEPER = _RUN + "from holdfast.wiring.keeper import keeper; raise SystemExit(run_process(home, 'keeper', keeper))"
_NODE = _RUN + (
    "from holdfast.wiring.node import node;"
    "raise SystemExit(run_process(home, 'node-n1', lambda home, settings: node('n1', home, settings)))"
)
_VERIFY = (
    "import argparse, sys; from holdfast.cli import verify; parser = argparse.ArgumentParser();"
    "verify.add(parser.add_subparsers());"
    "args = parser.parse_args(['verify', '--home', sys.argv[1], '--json', '--processes', '1']);"
    "raise SystemExit(args.run(args))"
)


class PlatformProcesses:
    """Keeper and node n1 (hosting local/local) of one home; `url` is the node's."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._log = root.with_name(root.name + ".log").open("ab")
        subprocess.run([sys.executable, "-c", _INITIALISE, str(root)], env=environment(), check=True)
        settings = root / "holdfast.toml"
        text = settings.read_text().replace("5580", str(self.port)).replace("5514", str(free_port()))
        settings.write_text(text)

    def start_keeper(self) -> None:
        self._start("keeper", _KEEPER)
        until(Home(self.root).socket("operator").exists)

    def start_node(self, *, wait: bool = True) -> None:
        self._start("node", _NODE)
        if wait:
            until(self._ready)

    def kill(self, process: str) -> None:
        self._running[process].kill()
        self._running.pop(process).wait()

    def stop(self) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
        for process in self._running.values():
            assert process.wait(timeout=60) == 0
        self._running.clear()

    def new_token(self) -> str:
        """A sender's token of acme/main."""
        client = KeeperClient(Home(self.root).socket("operator"))
        environments = {"main": {"hosting": "local/local", "hosts": []}}
        customers = {"acme": {"projects": {"acme": {"environments": environments}}}}
        client.call("apply", register={"customers": customers, "people": {}, "staff": {"teams": {}}, "streams": []})
        token: str = client.call("new-token", environment="acme/main", label="send")["token"]
        client.close()
        return token

    def verify(self) -> dict[str, Any]:
        """What `holdfast verify --json` says."""
        command = [sys.executable, "-c", _VERIFY, str(self.root)]
        found = subprocess.run(command, env=environment(), capture_output=True, check=False)
        report: dict[str, Any] = json.loads(found.stdout)
        return report

    def close(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        self._log.close()

    def _start(self, name: str, program: str) -> None:
        command = [sys.executable, "-c", program, str(self.root)]
        self._running[name] = subprocess.Popen(command, env=environment(), stdout=self._log, stderr=self._log)

    def _ready(self) -> bool:
        assert self._running["node"].poll() is None, "the node ended"
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


@contextmanager
def platform(root: Path) -> Iterator[PlatformProcesses]:
    """Running; what is still running at the end is killed."""
    processes = PlatformProcesses(root)
    try:
        processes.start_keeper()
        processes.start_node()
        yield processes
    finally:
        processes.close()
