"""Disks that really run full under a real node: it says "not now", stops reading, loses nothing it acknowledged, and
goes on when there is space."""

import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.heldlines import messages
from tests.support.httplines import HttpLines
from tests.support.platforms import Platform, until
from tests.support.smalldisk import small_disk

from holdfast.kernel.names import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LITTLE = "[intake]\npending_bytes = 1048576\nflush_bytes = 1048576\n"
SEALING = "[sealing]\nbytes = 65536\nseconds = 1.0\n"
ENVIRONMENT, SYSLOG_LINES = "acme/main", 120_000
FILLING = (
    b"the rest of a line that is as long as most lines of an application are, with words in it and numbers 0123456789"
)


def syslog_line(number: int) -> bytes:
    return b"<134>1 2026-11-24T06:00:00Z web1.acme.example app - - - plain %d %s\n" % (number, FILLING)


class PlainSender:
    """One plain syslog connection that has many lines to send and waits as long as it takes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self.taken = connection, 0
        self._connection.settimeout(90)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number in range(0, SYSLOG_LINES, 100):
            self._connection.sendall(b"".join(syslog_line(number + i) for i in range(100)))
            self.taken = number + 100
        self._connection.close()

    def stands_still(self) -> bool:
        """Whether nothing is taken off its hands for a while."""
        before = self.taken
        time.sleep(1.5)
        return 0 < before == self.taken < SYSLOG_LINES

    def join(self) -> None:
        self._thread.join(60)
        assert self.taken == SYSLOG_LINES


def numbers(lines: list[bytes], kind: bytes) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.match(kind + rb" ([0-9]+)", line))]


def chunk(first: int) -> list[bytes]:
    return [b"http %d %s" % (n, FILLING) for n in range(first, first + 100)]


def spend(home: Platform, sender: HttpLines, fill: Callable[[], None], free: Callable[[], None]) -> None:
    """Fill the disk under load, see the node say so, free it, see it go on with nothing lost and nothing doubled."""
    assert sender.post(chunk(0)) == 200
    pid = home.pid("n1")
    fill()
    plain = PlainSender(home.syslog())
    until(plain.stands_still, 30, "back-pressure")
    waited = []
    for _ in range(3):
        began = time.monotonic()
        assert sender.post(chunk(100)) == 503
        waited.append(time.monotonic() - began)
        assert int(sender.retry_after or "0") >= 1
    assert max(waited) < 5
    assert not home.health()
    free()
    assert sender.send(chunk(100), threading.Event(), 30)
    plain.join()
    until(home.health, 30, "taking lines")
    until(lambda: len(numbers(messages(home.home, ENVIRONMENT, Stream.APP), b"plain")) >= SYSLOG_LINES, 30)
    lines = messages(home.home, ENVIRONMENT, Stream.APP)
    assert numbers(lines, b"plain") == list(range(SYSLOG_LINES))
    assert numbers(lines, b"http") == list(range(200))
    assert home.pid("n1") == pid
    assert home.verify()["holding"] == {"acme/main app": SYSLOG_LINES + 200}
    home.stop()


def test_a_full_journal_disk_means_not_now_and_nothing_is_lost(tmp_path: Path) -> None:
    home = Platform(tmp_path / "p", settings=LITTLE)
    with small_disk(home.home.root / "nodes" / "n1" / "journal", 48) as disk:
        try:
            home.start("keeper")
            home.start("node", "n1")
            spend(home, HttpLines(home.nodes["n1"].http, home.token(ENVIRONMENT)), disk.fill, disk.free)
        finally:
            home.close()
    said = home.said("n1")
    assert '"no-space"' in said
    assert "taking lines again" in said
    assert FILLING.decode() not in said


def test_a_disk_that_everything_lies_on_may_run_full_too(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 96) as disk:
        home = Platform(disk.path / "p", settings=LITTLE)
        try:
            home.start("keeper")
            home.start("node", "n1")
            spend(home, HttpLines(home.nodes["n1"].http, home.token(ENVIRONMENT)), disk.fill, disk.free)
        finally:
            home.close()


@pytest.mark.parametrize("leave", [0, 40_000], ids=["at-once", "in-the-middle"])
def test_a_full_segment_store_makes_sealing_wait_while_lines_are_taken(tmp_path: Path, leave: int) -> None:
    home = Platform(tmp_path / "p", settings=SEALING)
    with small_disk(home.home.root / "stores", 16) as disk:
        try:
            disk.fill(leave)
            home.start("keeper")
            home.start("node", "n1")
            sender, sent = HttpLines(home.nodes["n1"].http, home.token(ENVIRONMENT)), 0
            while "sealing" not in home.said("n1") or sent < 10_000:
                assert sender.post(chunk(sent)) == 200
                sent += 100
                assert sent < 100_000
            assert home.verify()["segments"] == 0 or leave
            disk.free()
            journal = home.home.root / "nodes" / "n1" / "journal"
            until(lambda: len(list(journal.glob("*.journal"))) == 1, 60, "sealing")
            assert numbers(messages(home.home, ENVIRONMENT, Stream.APP), b"http") == list(range(sent))
            report = home.verify()
            assert report["segments"] >= 1
            assert report["holding"] == {"acme/main app": sent}
            home.stop()
        finally:
            home.close()
