"""(d) Reading one tenant's day through the gateway, beside OpenSSH's own sshd and sftp-server over the same text."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.platforms import Platform, free_ports

from bench.corpus import Corpus
from bench.measuring import peak_mib

_QUIET = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
_OPTIONS = ["-F", "none", *_QUIET]


def _first_and_all(command: list[str]) -> tuple[float, float, int]:
    """Seconds to the first byte and to the last, and how many bytes."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        count = len(process.stdout.read(1))
        first = time.perf_counter() - begin
        while block := process.stdout.read(1 << 20):
            count += len(block)
        seconds = time.perf_counter() - begin
    assert process.returncode == 0, command
    return first, seconds, count


def _median(command: list[str], times: int = 3) -> tuple[float, float, int]:
    runs = sorted((_first_and_all(command) for _ in range(times)), key=lambda run: run[1])
    return runs[len(runs) // 2]


@contextlib.contextmanager
def sshd(folder: Path, key: Path) -> Iterator[list[str]]:
    """OpenSSH's own server on loopback, for this key: the options that reach it."""
    [port] = free_ports(1)
    folder.mkdir(parents=True, exist_ok=True)
    host_key = folder / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {key.with_suffix('.pub')}\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\n"
    )
    process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", config, "-E", folder / "log"])
    try:
        time.sleep(1)
        yield [*_OPTIONS, "-i", str(key), "-o", f"Port={port}"]
    finally:
        process.terminate()
        process.wait(10)


def read_all(home: Platform, data: Corpus, key: Path, folder: Path, say: Callable[..., None]) -> None:
    """Last 1000 lines, a needle, a whole day as a command and by sftp; and the same of a plain file under sshd."""
    login = "t042--main@127.0.0.1"
    ours = [*_OPTIONS, "-i", str(key), "-o", f"Port={home.ssh}"]
    listing = subprocess.run(
        ["sftp", *ours, "-b", "-", login], input="ls -1 /web-access\n", text=True, capture_output=True, check=True
    )
    day = next(word for word in listing.stdout.split() if word.endswith(".log")).rsplit("/", 1)[-1]
    plain = folder / "plain" / day
    plain.parent.mkdir()
    subprocess.run(["sftp", "-q", *ours, f"{login}:/web-access/{day}", plain], check=True, stdout=subprocess.DEVNULL)
    lines = plain.read_bytes().count(b"\n")
    with sshd(folder / "sshd", key) as theirs:
        user = f"{os.environ.get('USER', 'root')}@127.0.0.1"
        pairs: dict[str, tuple[list[str], list[str]]] = {
            "last 1000 lines": (["logs", "web-access", "--last", "1000"], ["tail", "-n", "1000", str(plain)]),
            "a needle": (["logs", "web-access", "--grep", data.needle], ["grep", "-c", "", str(plain)]),
            "a whole day": (["logs", "web-access"], ["cat", str(plain)]),
        }
        for what, (command, peer) in pairs.items():
            if what == "a needle":
                peer = ["sh", "-c", f"'grep {data.needle} {plain} || true; echo'"]
                command = [*command, "--json"]
            _report(say, what, lines, ["ssh", *ours, login, *command], ["ssh", *theirs, user, *peer])
        sink = str(folder / "got")
        get = ["sftp", "-q", *ours, f"{login}:/web-access/{day}", sink]
        peer = ["sftp", "-q", *theirs, f"{user}:{plain}", sink]
        _transfer(say, plain.stat().st_size, get, peer)
    gateway = home.pid("gateway")
    if gateway:
        say("gateway", peak_mib=round(peak_mib(gateway), 1))
    for process in ("keeper", "console"):
        pid = home.pid(process)
        if pid:
            say(process, peak_mib=round(peak_mib(pid), 1))


def _report(say: Callable[..., None], what: str, lines: int, ours: list[str], theirs: list[str]) -> None:
    try:
        first, seconds, count = _median(ours)
    except AssertionError:
        say(f"read {what}", failed=True)
        return
    peer_first, peer_seconds, _ = _median(theirs)
    say(
        f"read {what}",
        lines=lines,
        bytes=count,
        first_byte_ms=round(first * 1000),
        total_ms=round(seconds * 1000),
        sshd_first_byte_ms=round(peer_first * 1000),
        sshd_total_ms=round(peer_seconds * 1000),
    )


def _transfer(say: Callable[..., None], size: int, ours: list[str], theirs: list[str]) -> None:
    def once(command: list[str]) -> float:
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    mine, peer = sorted(once(ours) for _ in range(3))[1], sorted(once(theirs) for _ in range(3))[1]
    values: dict[str, Any] = {
        "mb": round(size / 1e6, 1),
        "mb_per_second": round(size / mine / 1e6, 1),
        "sshd_mb_per_second": round(size / peer / 1e6, 1),
        "ratio": round(peer / mine, 3),
    }
    say("sftp get of a day", **values)
