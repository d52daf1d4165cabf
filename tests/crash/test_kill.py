"""kill -9 of any process at random, while lines come in over HTTP, from `holdfast send` and over plain syslog, and
journal files are sealed all the time. Then: what was promised is there once, what was not is a gap-free prefix, and
`verify` holds.

KILL_ROUNDS says how often to kill (8), KILL_SEED in which order.
"""

import base64
import contextlib
import json
import os
import random
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.heldlines import batches, held
from tests.support.httplines import HttpLines
from tests.support.platforms import Platform, platform, until
from tests.support.sendprocess import send, start_send

from holdfast.kernel.names import Stream

ENVIRONMENT = "acme/main"
ROUNDS = int(os.environ.get("KILL_ROUNDS", "8"))
SEALING = "[sealing]\nbytes = 65536\nseconds = 2.0\n"
PROCESSES = ("n1", "keeper", "gateway", "console")


class Load:
    """Senders, until `stop`."""

    def __init__(self, home: Platform, token: str) -> None:
        self._home = home
        self._stop = threading.Event()
        self.http = [HttpLines(home.nodes["n1"].http, token, f"http{i}.log") for i in range(3)]
        self.sent: dict[str, int] = {}
        works = [(self._post, sender) for sender in self.http] + [(self._syslog, i) for i in range(3)]
        self._threads = [threading.Thread(target=work, args=(argument,)) for work, argument in works]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _post(self, sender: HttpLines) -> None:
        number = 0
        while not self._stop.is_set():
            lines = [b"%s line %d from 192.0.2.1" % (sender.name.encode(), number + i) for i in range(50)]
            if sender.send(lines, self._stop):
                number += len(lines)
            time.sleep(0.02)

    def _syslog(self, who: int) -> None:
        """Connection after connection, each with a name of its own and numbered lines."""
        connections = 0
        while not self._stop.is_set():
            name, number = f"syslog{who}-{connections}", 0
            connections += 1
            with contextlib.suppress(OSError), self._home.syslog() as connection:
                while not self._stop.is_set():
                    rows = [_frame(name, number + i, octets=who % 2 == 1) for i in range(20)]
                    connection.sendall(b"".join(rows))
                    number += len(rows)
                    self.sent[name] = number
                    time.sleep(0.02)
            time.sleep(0.1)


def _frame(name: str, number: int, *, octets: bool) -> bytes:
    line = b"<134>1 2026-11-24T06:00:00Z web1.acme.example app - - - %s line %d from 192.0.2.2" % (
        name.encode(),
        number,
    )
    return b"%d %s" % (len(line), line) if octets else line + b"\n"


@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * ROUNDS)
def test_whatever_is_killed_promised_lines_are_there_once_and_plain_ones_without_a_gap(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("KILL_SEED", "7"))
    victims = list(PROCESSES) + chance.choices(PROCESSES[:2], k=max(0, ROUNDS - len(PROCESSES)))
    chance.shuffle(victims)
    files = [tmp_path / "followed0.log", tmp_path / "followed1.log"]
    with platform(tmp_path / "p", settings=SEALING) as home:
        token = home.token(ENVIRONMENT)
        (tmp_path / "token").write_text(token)
        options = ("--token-file", tmp_path / "token")
        load, written = Load(home, token), 0
        with ExitStack() as stack:
            followers = [
                stack.enter_context(start_send(home.url(), tmp_path / f"state{i}", *options, "--follow", file))
                for i, file in enumerate(files)
            ]
            for follower in followers:
                stack.callback(follower.kill)
            with load:
                for victim in victims[:ROUNDS]:
                    until(lambda victim=victim: home.pid(victim) is not None, 60, victim)  # type: ignore[misc]
                    end = time.monotonic() + chance.uniform(0.3, 2.0)
                    while time.monotonic() < end:
                        written = _append(files, written)
                        time.sleep(0.05)
                    home.kill(victim)
                until(lambda: all(home.pid(name) is not None for name in PROCESSES), 60, "everything back")
                until(home.health, 30)
                time.sleep(1.5)
            for follower in followers:
                follower.terminate()
                _, errors = follower.communicate(timeout=60)
                assert follower.returncode == 0, errors
        for i, file in enumerate(files):
            status, _, said = send(home.url(), tmp_path / f"state{i}", *options, "--give-up", "30", file)
            assert status == 0, said
        for victim in set(victims[:ROUNDS]):
            died, back = home.told().count((victim, "died")), home.told().count((victim, "ready"))
            assert (died, back) == (victims[:ROUNDS].count(victim), died + 1), victim
        time.sleep(2)
        report = home.verify()
        home.stop()
        assert report["segments"] > 0
        home.start("keeper")  # alone: nothing moves any more
        assert home.verify()["holding"]["acme/main app"] >= report["holding"]["acme/main app"]
        table = held(home.home, ENVIRONMENT, Stream.APP)
        roots = {header.first: (header.count, header.root) for header in batches(home.home, ENVIRONMENT, Stream.APP)}
    lines = _without_addresses(table["message"].to_list())
    assert table["line"].to_list() == list(range(len(lines)))
    promised = [(chunk.promise, chunk.lines) for sender in load.http for chunk in sender.answered]
    for promise, sent in promised:
        first, count = int(promise["first"]), promise["count"]
        assert roots[first] == (count, base64.b64decode(promise["root"]))
        kept = [line for line in lines[first : first + count] if line.startswith(sent[0].split(b" ")[0])]
        assert kept == _without_addresses(sent)
    _check_http(lines, load)
    _check_followed(lines, files, tmp_path, roots)
    _check_prefixes(lines, load)


def _append(files: list[Path], written: int) -> int:
    for file in files:
        with file.open("ab") as log:
            log.write(b"".join(b"%s line %d from 192.0.2.3\n" % (file.name.encode(), written + n) for n in range(40)))
    return written + 40


def _without_addresses(lines: list[bytes]) -> list[bytes]:
    return [line.rpartition(b" from ")[0] for line in lines]


def _check_http(lines: list[bytes], load: Load) -> None:
    """Each sender's lines, in order, once; after the acknowledged ones perhaps a chunk whose answer was lost."""
    for sender in load.http:
        kept = [line for line in lines if line.startswith(sender.name.encode())]
        acknowledged = _without_addresses(sender.acknowledged())
        assert kept[: len(acknowledged)] == acknowledged
        assert len(acknowledged) >= 50
        assert len(kept) - len(acknowledged) in (0, 50)


def _check_followed(lines: list[bytes], files: list[Path], folder: Path, roots: dict[int, tuple[int, bytes]]) -> None:
    for i, file in enumerate(files):
        kept = [line for line in lines if line.startswith(file.name.encode())]
        assert kept == _without_addresses(file.read_bytes().split(b"\n")[:-1])
        promises: list[dict[str, Any]] = [
            json.loads(row)["promise"] for row in (folder / f"state{i}" / "promises").read_bytes().split(b"\n") if row
        ]
        assert promises
        for promise in promises:
            assert roots[int(promise["first"])] == (promise["count"], base64.b64decode(promise["root"]))


def _check_prefixes(lines: list[bytes], load: Load) -> None:
    kept: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        if line.startswith(b"syslog"):
            name, _, number = line.split(b" ")
            kept[name.decode()].append(int(number))
    assert len(kept) >= 3
    for name, numbers in kept.items():
        assert numbers == list(range(len(numbers))), name
        assert len(numbers) <= load.sent[name] + 20
