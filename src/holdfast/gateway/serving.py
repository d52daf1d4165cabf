"""The gateway's one entry: listen, serve, stop.

Order: host key → keeper, journals, stores → listening → `ready()`. On `stop` no more connections are taken, those that
are open are closed, and the records that wait are written, for at most ten seconds. A crash leaves nothing of the
gateway's own, and no record of the connections that were open.
"""

import asyncio
import contextlib
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import polars as pl

from holdfast.drivers.gatewaykeeper import GatewayKeeper
from holdfast.drivers.keeperclient import AsyncKeeperClient
from holdfast.drivers.posix import PosixStore
from holdfast.drivers.readingfiles import JournalFiles, ObjectFiles
from holdfast.drivers.recordposting import RecordPoster
from holdfast.formats.notes import parse_vkey
from holdfast.formats.records import SCHEMA
from holdfast.gateway.admission import Admission, Bounds
from holdfast.gateway.authenticating import House, door_of
from holdfast.gateway.proving import LineProver, NodeArchive
from holdfast.gateway.recording import Recording
from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import Installation, NodeName, Stream
from holdfast.kernel.secrets import Secret
from holdfast.rules.guard import reveal
from holdfast.rules.rendering import render
from holdfast.vault.journalscanning import JournalIndex
from holdfast.vault.keeping import Kept
from holdfast.vault.reading import Library
from holdfast.vault.readingports import Keeper

_log = logging.getLogger("holdfast.gateway.serving")

VERSION = "OpenSSH_compatible_Holdfast"
"""OpenSSH's client tells only servers whose version begins with `OpenSSH` that its own reader is gone
(eow@openssh.com); without it `ssh ... logs | head` would read to the end of the log."""

KEX = (
    "mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org,"
    "ecdh-sha2-nistp521,ecdh-sha2-nistp384,ecdh-sha2-nistp256"
)
CIPHERS = "aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Authenticated encryption in one pass, out of Terrapin's reach. The client's first choice counts, and OpenSSH's are
ChaCha20 and CTR with a MAC, which cost a reader a quarter of the speed or more: so they are not offered."""
MACS = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"
SIGNATURES = (
    "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,ssh-ed25519,"
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
)
_THREADS = 4
_KEPT_BYTES = 64 << 20
_CLOSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node's folders, its intake (`http://host:port`), and its log's verifier key (empty: no proofs from it)."""

    journal: Path
    ledger: Path
    log: Path
    intake: str
    vkey: str = ""


@dataclass(frozen=True, slots=True)
class GatewayPaths:
    """Where the gateway finds things. `stores` are folders by `vendor-region`, each holding `segments/`."""

    installation: Installation
    host_key: Path
    keeper_socket: Path
    recorder_token: Path
    nodes: Mapping[NodeName, NodePlace]
    stores: Mapping[str, Path]


async def serve(
    paths: GatewayPaths,
    address: str,
    port: int,
    ready: Callable[[], None],
    stop: asyncio.Event,
    *,
    bounds: Bounds | None = None,
    keeper: Keeper | None = None,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until `stop` is set. ConfigurationError if a key cannot be read or the port not be listened on.

    `listening` is told the port (0: the system chooses) just before `ready`. `keeper` stands in for the one behind the
    socket, for tests.
    """
    # asyncssh logs commands and user names; none of it is for a log.
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)
    bounds = bounds or Bounds()
    client = AsyncKeeperClient(paths.keeper_socket)
    token, boot = Secret(_read(paths.recorder_token).strip()), str(uuid.uuid4())
    recording = Recording(
        {
            name: RecordPoster(place.intake, token, boot, lambda: secrets.token_hex(16))
            for name, place in paths.nodes.items()
        },
        time.monotonic,
    )
    with ThreadPoolExecutor(_THREADS, "reading") as executor:
        house = House(
            keeper or GatewayKeeper(client),
            _library(paths),
            recording,
            _prover(paths),
            Admission(bounds),
            bounds,
            executor,
            lambda: Instant(time.time_ns()),
            time.monotonic,
        )
        acceptor = await _listen(paths, house, address, port)
        try:
            listening(acceptor.get_port())
            ready()
            await stop.wait()
        finally:
            acceptor.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await house.close()
            await recording.close(_CLOSE_SECONDS)
            await client.close()


async def _listen(paths: GatewayPaths, house: House, address: str, port: int) -> asyncssh.SSHAcceptor:
    try:
        host_key = asyncssh.import_private_key(_read(paths.host_key))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise ConfigurationError("host-key", "the gateway's host key does not read", file=paths.host_key.name) from None
    try:
        return await asyncssh.create_server(
            door_of(house),
            address,
            port,
            backlog=256,
            reuse_address=True,
            server_host_keys=[host_key],
            server_version=VERSION,
            kex_algs=KEX,
            encryption_algs=CIPHERS,
            mac_algs=MACS,
            signature_algs=SIGNATURES,
            compression_algs=None,
            host_based_auth=False,
            public_key_auth=True,
            kbdint_auth=False,
            password_auth=False,
            gss_host=None,
            gss_kex=False,
            gss_auth=False,
            allow_pty=True,
            line_editor=False,
            x11_forwarding=False,
            agent_forwarding=False,
            login_timeout=house.bounds.login_seconds,
            keepalive_interval=30,
            keepalive_count_max=3,
            tcp_keepalive=True,
            config=None,
        )
    except OSError as error:
        cause = error.strerror or type(error).__name__
        place = f"{address} {port}"
        raise ConfigurationError("address-taken", "a listener cannot be had", place=place, cause=cause) from None


def _library(paths: GatewayPaths) -> Library:
    return Library(
        paths.installation,
        {name: ObjectFiles(folder) for name, folder in paths.stores.items()},
        {name: JournalIndex(JournalFiles(place.journal)) for name, place in paths.nodes.items()},
        _reveal,
        render,
        Kept(_KEPT_BYTES),
    )


def _prover(paths: GatewayPaths) -> LineProver | None:
    archives = {
        name: NodeArchive(
            JournalFiles(place.journal), PosixStore(place.ledger), PosixStore(place.log), parse_vkey(place.vkey)
        )
        for name, place in paths.nodes.items()
        if place.vkey
    }
    if not archives:
        return None
    return LineProver(paths.installation, archives, {name: ObjectFiles(path) for name, path in paths.stores.items()})


def _reveal(stream: Stream, table: pl.DataFrame, key: Secret) -> pl.DataFrame:
    """Addresses in the place of pseudonyms. All lines of a reading are of one environment: its name does not matter."""
    named = table.with_columns(pl.lit("e").alias("environment"), pl.lit(stream.value).alias("stream"))
    return reveal(named, {"e": key.reveal()}).select(list(SCHEMA))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise ConfigurationError("gateway-file", "a file of the gateway's cannot be read", file=file.name) from None
