"""A gateway in a thread of the test, over a vault on disk, with OpenSSH's own clients to knock at it."""

import asyncio
import http.server
import json
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.diskvaults import INSTALLATION, PERSON, STORE, DiskVault, OpenKeeper

from holdfast.gateway.admission import Bounds
from holdfast.gateway.serving import GatewayPaths, NodePlace, serve


class RecordingNode:
    """A node's intake as far as connection records go. `lines` holds (environment, record) as they were taken."""

    def __init__(self, environments: frozenset[str]) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.down = False
        taken = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                query = parse_qs(urlsplit(self.path).query)
                [environment] = query["environment"]
                status = 503 if taken.down else 200 if environment in environments else 403
                if status == 200:
                    assert self.headers["Authorization"] == "Bearer recorder"
                    assert query["stream"] == ["ssh-access"]
                    taken.lines += [(environment, json.loads(line)) for line in body.split(b"\n")[:-1]]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def make_key(file: Path, kind: str = "ed25519") -> str:
    """A key pair of OpenSSH's; its fingerprint."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file], check=True)
    told = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
    return told.split()[1]


@dataclass
class Gateway:
    """A running gateway. `key` is a person's who may read acme/main; `stranger` nobody's."""

    root: Path
    vault: DiskVault
    keeper: OpenKeeper
    bounds: Bounds = field(default_factory=Bounds)
    port: int = 0

    def __post_init__(self) -> None:
        self.key, self.stranger = self.root / "id", self.root / "stranger"
        self.fingerprint = make_key(self.key)
        make_key(self.stranger)
        make_key(self.root / "host_key")
        self.keeper.people[self.fingerprint] = PERSON
        (self.root / "recorder.token").write_text("recorder\n")
        self.node = RecordingNode(frozenset({"acme/main", "globex/main", "platform/unclaimed"}))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def paths(self) -> GatewayPaths:
        nodes = {
            name: NodePlace(
                node.folder / "journal", node.folder / "ledger", node.folder / "log", self.node.url, _vkey(node)
            )
            for name, node in self.vault.nodes.items()
        }
        return GatewayPaths(
            INSTALLATION,
            self.root / "host_key",
            self.root / "no.sock",
            self.root / "recorder.token",
            nodes,
            {STORE: self.vault.store_folder},
        )

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()

        def listening(port: int) -> None:
            self.port = port

        await serve(
            self.paths(),
            "127.0.0.1",
            0,
            self._ready.set,
            self._stop,
            bounds=self.bounds,
            keeper=self.keeper,
            listening=listening,
        )

    def __enter__(self) -> "Gateway":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self.node.close()

    def options(self, key: Path | None = None) -> list[str]:
        """Options of ssh, sftp, scp and sshfs: this key and nothing of this machine's."""
        options = {
            "IdentityFile": str(key or self.key),
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "ConnectTimeout": "10",
        }
        return ["-F", "none", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]

    def ssh(
        self,
        *command: str,
        login: str = "acme--main",
        key: Path | None = None,
        options: tuple[str, ...] = (),
        seconds: float = 30,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run OpenSSH's client to its end."""
        return subprocess.run(
            self.ssh_words(*command, login=login, key=key, options=options),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )

    def ssh_words(
        self, *command: str, login: str = "acme--main", key: Path | None = None, options: tuple[str, ...] = ()
    ) -> list[str]:
        """The command line of an ssh."""
        return ["ssh", *self.options(key), *options, "-p", str(self.port), f"{login}@127.0.0.1", *command]

    def sftp(self, batch: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
        """Run sftp with a batch of commands (one that begins with `-` may fail) in a folder."""
        return subprocess.run(
            ["sftp", *self.options(), "-P", str(self.port), "-b", "-", "acme--main@127.0.0.1"],
            input=batch.encode(),
            capture_output=True,
            cwd=folder,
            timeout=60,
            check=False,
        )

    def records(self, count: int) -> list[tuple[str, dict[str, object]]]:
        """The first so many connection records, waited for."""
        for _ in range(500):
            if len(self.node.lines) >= count:
                break
            threading.Event().wait(0.02)
        return self.node.lines


def _vkey(node: object) -> str:
    return node.signer.verifier().vkey()  # type: ignore[attr-defined,no-any-return]
