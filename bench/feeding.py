"""Lines into a node, and into rsyslog beside it, over one TCP connection from a process of its own."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.platforms import Platform, free_ports

from holdfast.vault.journalreading import JournalFile, journal_name

_SENDER = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as to, open(sys.argv[2], "rb") as file:
    while block := file.read(1 << 20):
        to.sendall(block)
"""


def send(port: int, file: Path) -> "subprocess.Popen[bytes]":
    """Start sending the file's bytes."""
    return subprocess.Popen([sys.executable, "-c", _SENDER, str(port), str(file)])


class Journal:
    """Counts the lines that are durable in a node's journal, reading on from where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number, self._offset, self.lines = 0, 0, 0

    def count(self) -> int:
        """Lines in whole frames. The node must not seal meanwhile."""
        while True:
            path = self._folder / journal_name(self._number)
            if path.exists():
                with path.open("rb") as source:
                    for head in JournalFile(source, self._number).heads(self._offset, torn_tail=True):
                        self.lines += int(head.directory["count"].sum())
                        self._offset = head.offset + head.length
            if not (self._folder / journal_name(self._number + 1)).exists():
                return self.lines
            self._number, self._offset = self._number + 1, 0


def feed(home: Platform, journal: Journal, file: Path, lines: int, limit: float = 900.0) -> float:
    """Send a file to the node; the seconds until its last line is durable."""
    before, begin = journal.count(), time.perf_counter()
    sender = send(home.nodes["n1"].syslog, file)
    while journal.count() - before < lines:
        if time.perf_counter() - begin > limit:
            raise TimeoutError(f"{journal.lines - before} of {lines} lines were durable after {limit} s")
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    sender.wait(30)
    return seconds


@contextlib.contextmanager
def rsyslog(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """A real rsyslog that writes what it gets to a plain file: its port, pid and the file."""
    folder.mkdir(parents=True, exist_ok=True)
    [port], sink = free_ports(1), folder / "plain.log"
    config = folder / "rsyslog.conf"
    config.write_text(
        f'global(workDirectory="{folder}" maxMessageSize="64k")\nmodule(load="imtcp")\n'
        f'template(name="plain" type="string" string="%rawmsg%\\n")\n'
        f'input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="file")\n'
        f'ruleset(name="file" queue.type="LinkedList" queue.size="200000") {{\n'
        f'  action(type="omfile" file="{sink}" template="plain" ioBufferSize="256k") }}\n'
    )
    process = subprocess.Popen(["rsyslogd", "-n", "-f", config, "-i", folder / "pid"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield port, process.pid, sink
    finally:
        process.terminate()
        process.wait(30)


def feed_rsyslog(port: int, sink: Path, file: Path) -> float:
    """Send a file to rsyslog; the seconds until all its bytes are in the plain file (not synced)."""
    before = sink.stat().st_size if sink.exists() else 0
    size, begin = file.stat().st_size, time.perf_counter()
    sender = send(port, file)
    while (sink.stat().st_size if sink.exists() else 0) - before < size:
        if time.perf_counter() - begin > 300:
            raise TimeoutError("rsyslog did not write everything")
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    sender.wait(30)
    return seconds
