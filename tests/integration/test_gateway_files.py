"""The gateway's files, with sftp, scp and sshfs of OpenSSH."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.diskvaults import DiskVault, FixedClock, OpenKeeper
from tests.support.gateways import Gateway

from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.names import Stream


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %d from 192.0.2.%d\n" % (n, n % 250) for n in range(first, first + count))


@pytest.fixture
def vault(tmp_path: Path) -> DiskVault:
    vault = DiskVault(tmp_path, clock=FixedClock(Instant(time.time_ns())))
    vault.node().take(lines(0, 70_000))
    vault.node().take(lines(70_000, 70_000))
    vault.node().seal()
    vault.node().take(lines(140_000, 500))
    return vault


@pytest.fixture
def gateway(tmp_path: Path, vault: DiskVault) -> Iterator[Gateway]:
    with Gateway(tmp_path, vault, OpenKeeper(vault)) as running:
        yield running


@pytest.fixture
def name(vault: DiskVault) -> str:
    return f"{day_of(vault.clock.now())}.log"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def test_a_day_is_a_file_of_true_size_and_time(gateway: Gateway, here: Path, name: str, vault: DiskVault) -> None:
    done = gateway.sftp(f"ls -1\nls -1 clear\nls -l app\nget -p app/{name} p.log\nget clear/app/{name} c.log\n", here)
    assert done.returncode == 0
    assert done.stdout.split(b"\n")[1:5] == [b"app", b"clear", b"system", b"web-access"]
    assert (here / "c.log").read_bytes() == lines(0, 140_500)
    text = (here / "p.log").read_bytes()
    assert str(len(text)).encode() in done.stdout
    assert text == gateway.ssh("logs", "app").stdout
    assert int((here / "p.log").stat().st_mtime) == vault.clock.now() // 1_000_000_000


def test_reget_after_growth_and_sealing_gives_the_same_file(
    gateway: Gateway, here: Path, name: str, vault: DiskVault
) -> None:
    gateway.sftp(f"get app/{name} a.log\n", here)
    before = (here / "a.log").read_bytes()
    vault.node().take(lines(140_500, 10))
    vault.node().seal()
    vault.node().take(lines(140_510, 10))
    done = gateway.sftp(f"reget app/{name} a.log\nget app/{name} b.log\n", here)
    assert done.returncode == 0
    assert (here / "a.log").read_bytes() == (here / "b.log").read_bytes()
    assert (here / "a.log").read_bytes().startswith(before)
    assert (here / "a.log").read_bytes().count(b"\n") == 140_520


@pytest.mark.parametrize(
    "command",
    [
        "put /etc/hostname app/x",
        "rm app/{name}",
        "rename app/{name} app/y",
        "mkdir app/z",
        "rmdir app",
        "chmod 644 app/{name}",
        "ln -s app app2",
        "ln app/{name} app/w",
        "put /etc/hostname app/{name}",
    ],
)
def test_whatever_would_change_something_is_refused(gateway: Gateway, here: Path, name: str, command: str) -> None:
    done = gateway.sftp(command.format(name=name) + "\n", here)
    assert done.returncode == 1
    assert b"ermission denied" in done.stderr


def test_scp_of_both_kinds_copies_the_bytes_and_says_so(gateway: Gateway, here: Path, name: str) -> None:
    expected = gateway.ssh("logs", "app").stdout
    for i, options in enumerate(([], ["-O"])):
        target = here / f"{i}.log"
        source = f"acme--main@127.0.0.1:/app/{name}"
        words = ["scp", *options, *gateway.options(), "-P", str(gateway.port)]
        assert subprocess.run([*words, source, target], check=False).returncode == 0
        assert target.read_bytes() == expected
        missing = subprocess.run([*words, source + "x", target], check=False, capture_output=True)
        assert missing.returncode != 0
        sent = subprocess.run([*words, "/etc/hostname", source], check=False, capture_output=True)
        assert sent.returncode != 0


def test_several_nodes_have_a_file_each(tmp_path: Path, vault: DiskVault, here: Path) -> None:
    vault.node("n2").take(lines(0, 3))
    day = day_of(vault.clock.now())
    with Gateway(tmp_path, vault, OpenKeeper(vault)) as gateway:
        done = gateway.sftp(f"ls -1 app\nget app/{day}.n2.log two.log\n", here)
        assert done.returncode == 0
        assert f"{day}.n1.log".encode() in done.stdout
        assert (here / "two.log").read_bytes().count(b"\n") == 3


def test_a_day_whose_addresses_are_gone_has_no_clear_file(gateway: Gateway, here: Path, name: str) -> None:
    gateway.keeper.closed_days.add(name.removesuffix(".log"))
    assert gateway.sftp(f"get clear/app/{name}\n", here).returncode == 1
    assert gateway.sftp(f"get app/{name}\n", here).returncode == 0
    done = gateway.ssh("logs", "app", "--clear")
    assert (done.stdout, b"no longer kept" in done.stderr) == (b"", True)


def test_streams_that_may_not_be_read_are_not_there(gateway: Gateway, here: Path, name: str) -> None:
    assert gateway.sftp("ls ssh-access\n", here).returncode == 1
    assert gateway.sftp(f"get clear/system/{name}\n", here).returncode == 1
    assert gateway.sftp("get ../../etc/passwd\n", here).returncode == 1


@pytest.mark.skipif(not Path("/dev/fuse").exists() or not shutil.which("sshfs"), reason="no fuse here")
def test_sshfs_serves_an_editor(gateway: Gateway, tmp_path: Path, name: str, vault: DiskVault) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    # sshfs knows no -F none; its other options are ssh's.
    options = [word for word in gateway.options() if word not in ("-F", "none")]
    subprocess.run(
        ["sshfs", *options, "-p", str(gateway.port), "-o", "ssh_command=ssh -F none", "acme--main@127.0.0.1:/", mount],
        check=True,
        timeout=30,
    )
    try:
        file = mount / "clear" / "app" / name
        assert sorted(path.name for path in mount.iterdir()) == ["app", "clear", "system", "web-access"]
        text = lines(0, 140_500)
        assert file.stat().st_size == len(text)
        with file.open("rb") as opened:
            opened.seek(-20, os.SEEK_END)
            assert opened.read() == text[-20:]
            opened.seek(1_000_000)
            assert opened.read(5000) == text[1_000_000:1_005_000]
        assert subprocess.run(["grep", "-c", "line 77", file], capture_output=True, check=True).stdout == b"%d\n" % (
            text.count(b"line 77")
        )
        assert subprocess.run(["sed", "-n", "70001p", file], capture_output=True, check=True).stdout == lines(70_000, 1)
        with pytest.raises(PermissionError):
            (mount / "app" / "new").write_bytes(b"x")
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(["fusermount3" if shutil.which("fusermount3") else "fusermount", "-u", mount], check=True)


def test_a_syslog_stream_reads_as_text_with_time_and_host(gateway: Gateway, here: Path, vault: DiskVault) -> None:
    vault.node().take(b"<13>1 2026-11-24T06:00:00Z web1 cron 7 - - tick\n", Stream.SYSTEM, file=None)
    assert gateway.ssh("logs", "system").stdout == b"2026-11-24T06:00:00.000000Z web1 cron[7]: tick\n"
