"""`holdfast send` and a node as processes of their own, to be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ENTRY = (
    "import argparse, sys; from holdfast.cli import send; parser = argparse.ArgumentParser();"
    "send.add(parser.add_subparsers()); args = parser.parse_args(sys.argv[1:]); raise SystemExit(args.run(args))"
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to become true, or fail."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


class NodeProcess:
    """The fake node, on a port that stays the same over restarts."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self._options, self.port = folder, options, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        command = [sys.executable, "-m", "tests.support.fakenode", str(self.folder), str(self.port), "secret"]
        self._process = subprocess.Popen([*command, *self._options], cwd=ROOT, env=environment())
        if wait:
            until(self._ready)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


@contextmanager
def node(folder: Path, *options: str) -> Iterator[NodeProcess]:
    process = NodeProcess(folder, *options)
    process.start()
    try:
        yield process
    finally:
        process.kill()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "HOLDFAST_TOKEN": "secret"}


def start_send(url: str, state: Path, *arguments: str | Path) -> "subprocess.Popen[bytes]":
    """`holdfast send`, running."""
    fixed = ["send", "--environment", "acme/main", "--stream", "app", "--node", url, "--state", str(state)]
    command = [sys.executable, "-c", _ENTRY, *fixed, *map(str, arguments)]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def send(url: str, state: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """`holdfast send` to its end: exit status, standard output, standard error."""
    with start_send(url, state, *arguments) as process:
        output, errors = process.communicate(timeout=60)
    return process.returncode, output.decode(), errors.decode()


@contextmanager
def following(url: str, state: Path, *arguments: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`holdfast send --follow`, stopped by SIGTERM at the end; it must end well."""
    with start_send(url, state, "--follow", *arguments) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors.decode()
