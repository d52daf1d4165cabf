"""The checks of `holdfast attest` that ask servers: each says so when a server does otherwise than is stated."""

import asyncio
import queue
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from tests.support.keepers import KeeperHome, keeper_home, register

from holdfast.kernel.errors import BusyError, MalformedError
from holdfast.kernel.names import Stream
from holdfast.rules.evidence import Outcome
from holdfast.vault.findings import Report
from holdfast.wiring.checks import door, keys, matrix
from holdfast.wiring.checks.knocking import knock
from holdfast.wiring.checks.view import View
from holdfast.wiring.configuration import GatewayListener

STRONG = {
    "kex_algs": ["curve25519-sha256"],
    "encryption_algs": ["aes256-gcm@openssh.com"],
    "mac_algs": ["hmac-sha2-256"],
}


class Keys(asyncssh.SSHServer):
    def public_key_auth_supported(self) -> bool:
        return True


class Passwords(Keys):
    def password_auth_supported(self) -> bool:
        return True


class Nobody(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return username != door.NOBODY  # no key asked of that one


@contextmanager
def serving(begin: Callable[[], Awaitable[Any]]) -> Iterator[GatewayListener]:
    """A server in a thread of its own, on a port of its own, that is gone at the end."""
    ports: queue.Queue[int] = queue.Queue()
    stop = threading.Event()

    async def run() -> None:
        server = await begin()
        ports.put(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(stop.wait)
        server.close()
        await server.wait_closed()

    running = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    running.start()
    try:
        yield GatewayListener(port=ports.get(timeout=10))
    finally:
        stop.set()
        running.join(10)


def door_seen(server: type[asyncssh.SSHServer], **algorithms: Any) -> Any:
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    options: dict[str, Any] = {**STRONG, **algorithms, "server_host_keys": [host_key], "config": None}
    with serving(lambda: asyncssh.create_server(server, "127.0.0.1", 0, **options)) as listener:
        keeper = SimpleNamespace(environments=lambda: ())
        vault: Any = SimpleNamespace(settings=SimpleNamespace(gateway=listener), keeper=keeper)
        return door.check(View(vault, Report()))


def test_a_door_of_keys_and_current_algorithms_is_observed() -> None:
    seen = door_seen(Keys)
    assert (seen.outcome, seen.figures["methods"]) == (Outcome.OBSERVED, "publickey")


@pytest.mark.parametrize("server", [Passwords, Nobody])
def test_a_door_that_takes_anything_but_keys_contradicts(server: type[asyncssh.SSHServer]) -> None:
    seen = door_seen(server)
    assert seen.outcome is Outcome.CONTRADICTED
    assert seen.figures["methods"] != "publickey"


@pytest.mark.parametrize(
    "algorithms",
    [
        {"kex_algs": ["diffie-hellman-group14-sha1", "curve25519-sha256"]},
        {"encryption_algs": ["aes256-gcm@openssh.com", "aes256-cbc"]},
        {"mac_algs": ["hmac-sha2-256", "hmac-sha1"]},
    ],
)
def test_a_door_that_offers_sha1_or_cbc_contradicts(algorithms: dict[str, list[str]]) -> None:
    seen = door_seen(Keys, **algorithms)
    assert seen.outcome is Outcome.CONTRADICTED
    assert "weak" in seen.figures


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"", BusyError), (b"HTTP/1.1 400\r\n" * 2000, BusyError), (b"SSH-2.0-x\r\n" + b"\xff" * 99, MalformedError)],
)
def test_what_is_no_ssh_server_is_said_and_not_waited_for(answer: bytes, error: type[Exception]) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    with serving(lambda: asyncio.start_server(client, "127.0.0.1", 0)) as listener, pytest.raises(error):
        knock(listener)
    with pytest.raises(BusyError):
        knock(listener)


def test_a_connection_the_gateway_gets_to_late_lies_within_the_knock() -> None:
    made: list[int] = []

    class Late(Keys):
        def __init__(self) -> None:
            time.sleep(0.3)
            made.append(time.time_ns())

    host_key = asyncssh.generate_private_key("ssh-ed25519")
    options: dict[str, Any] = {"server_host_keys": [host_key], "config": None}
    with serving(lambda: asyncssh.create_server(Late, "127.0.0.1", 0, **options)) as listener:
        found = knock(listener)
    assert found.before <= made[0] <= found.after


@pytest.fixture
def keeper() -> Iterator[KeeperHome]:
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        home = keeper_home(Path(folder))
        with home.running():
            home.operator().apply(register())
            yield home


def view_of(keeper: KeeperHome) -> View:
    operator = keeper.operator()
    vault: Any = SimpleNamespace(home=keeper.paths, keeper=operator, catalogue=operator.catalogue)
    return View(vault, Report())


def test_whom_policy_lets_in_or_shuts_out_otherwise_than_stated_is_counted(
    keeper: KeeperHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = matrix.check(view_of(keeper))
    allowed = seen.figures["allowed"]
    # Two customers' people: three streams in two forms; support: two streams; operations: three.
    assert (seen.outcome, allowed) == (Outcome.OBSERVED, 2 * 6 + 2 + 3)
    monkeypatch.setattr(matrix, "may_read", lambda *_: False)
    seen = matrix.check(view_of(keeper))
    assert (seen.outcome, seen.figures["wrongly_allowed"]) == (Outcome.CONTRADICTED, allowed)
    monkeypatch.setattr(matrix, "may_read", lambda *asked: asked[3] is Stream.SSH_ACCESS)
    assert matrix.check(view_of(keeper)).figures["wrongly_denied"] == 5 * 2 * 3 * 2


def test_refusals_without_a_key_are_evidence_only_where_there_are_keys(keeper: KeeperHome) -> None:
    seen = keys.check(view_of(keeper))
    assert (seen.outcome, seen.figures["keys_given"], seen.figures["let_in"]) == (Outcome.MISSING, 0, 0)
    assert all("acme" not in str(event.environment) for event in keeper.operator().events())
