"""Real rsyslog, nginx, php-fpm, sshd and logger into a real installation: every line in its place, whole, no address in
clear; read back with the operator's keys and with `ssh`, counted by `verify`."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.heldlines import held, messages
from tests.support.platforms import Platform, holdfast, platform, until
from tests.support.registers import TWO_CUSTOMERS
from tests.support.senders import logger, nginx, php_fpm, program, rsyslog, ssh_in, sshd
from tests.support.sendprocess import following

from holdfast.kernel.names import Stream

ACME, GLOBEX = "acme/main", "globex/main"
VISITORS = ("203.0.113.77", "203.0.113.78", "198.51.100.9", "2001:db8:beef::77", "127.0.0.42", "127.0.0.43")
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/107.0.0.0 Safari/537.36"
SCRIPT = '<?php error_log("checkout failed for " . $_SERVER["REMOTE_ADDR"] . " cart 1.2.3"); echo "done\\n";'
ADDRESS = re.compile(rb"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@dataclass
class Hosts:
    """The installation and what the two customers' hosts run."""

    home: Platform
    folder: Path
    acme: Path
    globex: Path
    web: str
    ssh: int

    def told(self, environment: str, stream: Stream) -> list[bytes]:
        """Messages held of a stream."""
        return messages(self.home.home, environment, stream)

    def get(self, path: str, visitor: str, agent: str = "curl/7.88.1") -> None:
        """One request with the real curl."""
        command = [program("curl"), "-s", "-o", "/dev/null", "--max-time", "20", "-A", agent]
        subprocess.run([*command, "-H", f"X-Forwarded-For: {visitor}", self.web + path], check=True, timeout=30)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("s")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "ada"], check=True)
    register = TWO_CUSTOMERS.format(key=(folder / "ada.pub").read_text().strip())
    nodes = {"n1": "vendor/west", "n2": "vendor/east"}
    with ExitStack() as stack:
        home = stack.enter_context(platform(folder / "p", nodes=nodes, register=register))
        log, server = folder / "sshd.log", folder / "host"
        server.mkdir()
        log.touch()
        acme = stack.enter_context(
            rsyslog(
                folder / "acme",
                "web1.acme.example",
                home.nodes["n1"].syslog,
                template="RSYSLOG_TraditionalForwardFormat",
                framing="traditional",
                files={"sshd": log},
            )
        )
        globex = stack.enter_context(
            rsyslog(
                folder / "globex",
                "web1.globex.example",
                home.nodes["n2"].syslog,
                template="RSYSLOG_SyslogProtocol23Format",
                framing="octet-counted",
            )
        )
        stack.enter_context(php_fpm(server))
        (server / "checkout.php").write_text(SCRIPT)
        web = stack.enter_context(nginx(server, acme))
        port = stack.enter_context(sshd(server, log))
        yield Hosts(home, folder, acme, globex, web, port)
        home.stop()


def whole(kept: bytes, sent: bytes) -> bool:
    """Whether a kept line is what was sent but for its addresses, each of which became another one."""
    now, then = ADDRESS.findall(kept), ADDRESS.findall(sent)
    same_words = ADDRESS.split(kept) == ADDRESS.split(sent)
    return same_words and all((a != b) == (b.decode() in VISITORS) for a, b in zip(now, then, strict=True))


def test_rsyslog_lines_of_both_formats_are_each_customers_own_and_whole(hosts: Hosts) -> None:
    texts = [f"order {n} of 203.0.113.{77 + n % 2} came, née Müller → ok" for n in range(40)]
    texts.append("long " + "0123456789 abcdef " * 400 + "end")
    for text in texts:
        logger(hosts.acme, "app", text)
        logger(hosts.globex, "app", text)
    logger(hosts.acme, "cron[7]", "system line of acme")
    logger(hosts.globex, "cron[7]", "system line of globex")
    for environment in (ACME, GLOBEX):
        until(lambda place=environment: len(orders(hosts, place)) >= len(texts), 30, environment)  # type: ignore[misc]
        # rsyslog's RFC 5424 template writes the space that its parser left before a message: it is kept, as all bytes.
        kept = [line.removeprefix(b" ") if environment == GLOBEX else line for line in orders(hosts, environment)]
        assert len(kept) == len(texts)
        assert all(whole(now, then.encode()) for now, then in zip(kept, texts, strict=True))
    until(lambda: bool(hosts.told(GLOBEX, Stream.SYSTEM)), 30)
    assert hosts.told(GLOBEX, Stream.SYSTEM) == [b" system line of globex"]
    row = held(hosts.home.home, GLOBEX, Stream.SYSTEM).row(0, named=True)
    assert (row["host"], row["program"], row["procid"], row["node"]) == ("web1.globex.example", "cron", "7", "n2")


def orders(hosts: Hosts, environment: str) -> list[bytes]:
    return [line for line in hosts.told(environment, Stream.APP) if re.match(rb" ?(?:order|long) ", line)]


def test_nginx_access_lines_are_web_access_and_its_errors_app(hosts: Hosts) -> None:
    for n in range(12):
        hosts.get(f"/?page={n}", VISITORS[n % 4], CHROME if n % 2 else "curl/7.88.1")
    hosts.get("/missing.html", VISITORS[3])
    request = urllib.request.Request(hosts.web + "/?last", headers={"X-Forwarded-For": VISITORS[2]})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.read() == b"hello\n"
    until(lambda: b"?last" in (hosts.folder / "host" / "access.log").read_bytes(), 10)
    sent = (hosts.folder / "host" / "access.log").read_bytes().split(b"\n")[:-1]
    until(lambda: len(hosts.told(ACME, Stream.WEB_ACCESS)) >= len(sent), 30)
    kept = hosts.told(ACME, Stream.WEB_ACCESS)
    assert len(kept) == len(sent)
    assert all(whole(now, then) for now, then in zip(kept, sent, strict=True))
    assert sum(b"Chrome/107.0.0.0" in line for line in kept) == 6
    # The same visitor is the same pseudonym all day, and visitors of one network stay neighbours.
    by_visitor = {then.split(b" ")[0]: now.split(b" ")[0] for now, then in zip(kept, sent, strict=True)}
    assert len(set(by_visitor.values())) == len(by_visitor) == 4
    first, second = by_visitor[b"203.0.113.77"], by_visitor[b"203.0.113.78"]
    assert first.rpartition(b".")[0] == second.rpartition(b".")[0]
    until(lambda: any(b"missing.html" in line for line in hosts.told(ACME, Stream.APP)), 30)
    [error] = [line for line in hosts.told(ACME, Stream.APP) if b"missing.html" in line]
    assert b"No such file" in error
    assert b", client: " in error
    assert b"2001:db8:beef" not in error


def test_php_lines_come_by_following_the_files_it_writes(hosts: Hosts) -> None:
    token = hosts.folder / "token"
    token.write_text(hosts.home.token(ACME))
    files = [hosts.folder / "host" / name for name in ("php.log", "fpm.log")]
    with following(hosts.home.url("n1"), hosts.folder / "state", "--token-file", token, *files):
        for n in range(5):
            hosts.get("/checkout.php", VISITORS[n % 4])
        until(lambda: sum(b"checkout failed" in line for line in hosts.told(ACME, Stream.APP)) >= 5, 30)
    sent = [line for file in files for line in file.read_bytes().split(b"\n") if line]
    table = held(hosts.home.home, ACME, Stream.APP)
    rows = {name: [] for name in ("php.log", "fpm.log")}
    for attributes, message in zip(table["attributes"], table["message"], strict=True):
        for name in rows:
            if f'"file":"{name}"' in attributes:
                rows[name].append(message)
    kept = rows["php.log"] + rows["fpm.log"]
    assert len(kept) == len(sent)
    assert all(whole(now, then) for now, then in zip(kept, sent, strict=True))
    assert all(b"cart 1.2.3" in line for line in rows["php.log"])


def test_sshd_lines_are_ssh_access_and_nowhere_else(hosts: Hosts) -> None:
    server = hosts.folder / "host"
    assert ssh_in(server, hosts.ssh, "127.0.0.42", "root") == 0
    assert ssh_in(server, hosts.ssh, "127.0.0.43", "nobody-of-this-name") == 255
    until(lambda: b"port" in (hosts.folder / "sshd.log").read_bytes().rpartition(b"nobody-of-this-name")[2], 10)
    time.sleep(0.5)
    sent = [line.rstrip(b"\r") for line in (hosts.folder / "sshd.log").read_bytes().split(b"\n") if line]
    until(lambda: len(sshd_lines(hosts)) >= len(sent), 30)
    kept = sshd_lines(hosts)
    assert len(kept) == len(sent)
    assert all(ADDRESS.split(now) == ADDRESS.split(then) for now, then in zip(kept, sent, strict=True))
    assert sum(line.startswith(b"Accepted publickey for root from ") for line in kept) == 1
    assert not any(b"127.0.0.42" in line or b"127.0.0.43" in line for line in kept)
    assert not any(b"publickey" in line for line in hosts.told(ACME, Stream.SYSTEM))


def sshd_lines(hosts: Hosts) -> list[bytes]:
    """Without the gateway's own records of connections, which are JSON."""
    return [line for line in hosts.told(ACME, Stream.SSH_ACCESS) if not line.startswith(b"{")]


def test_logger_straight_into_a_node_from_a_host_nobody_knows_is_unclaimed(hosts: Hosts) -> None:
    for options in ((), ("--octet-count",), ("--rfc3164",)):
        command = [program("logger"), "-T", "-n", "127.0.0.1", "-P", str(hosts.home.nodes["n2"].syslog), *options]
        subprocess.run([*command, "-t", "stray", "a line of a stray"], check=True, timeout=20)
    until(lambda: hosts.told("platform/unclaimed", Stream.SYSTEM).count(b"a line of a stray") >= 3, 30)


def test_what_verify_counts_ssh_shows_and_no_address_rests_in_clear(hosts: Hosts) -> None:
    logger(hosts.acme, "app", "one more line from 198.51.100.9")
    until(lambda: any(b"one more line" in line for line in hosts.told(ACME, Stream.APP)), 30)
    time.sleep(2)
    report = hosts.home.verify()
    for place, lines in report["holding"].items():
        environment, stream = place.split(" ")
        assert len(held(hosts.home.home, environment, Stream(stream))) == lines, place
    shown = holdfast(
        "logs", "--home", hosts.home.home.root, "--identity", hosts.folder / "ada", ACME, "app", "--since", "1h"
    )
    assert shown.stdout.encode() == b"".join(held(hosts.home.home, ACME, Stream.APP)["text"])
    refused = holdfast(
        "logs", "--home", hosts.home.home.root, "--identity", hosts.folder / "ada", ACME, "ssh-access", check=False
    )
    assert refused.returncode != 0
    assert not refused.stdout
    places = [*hosts.home.home.root.rglob("*"), *hosts.home.folder.glob("*.log")]
    for file in (path for path in places if path.is_file()):
        data = file.read_bytes()
        for secret in (*VISITORS, "née Müller", "checkout failed"):
            assert secret.encode() not in data, (file, secret)
