"""The keeper process: four sockets, one for each role, and one thread that does all the work.

Order at start: lock (one keeper at a time), master key and epoch keys (a wrong one stops here), database brought up to
date, log and database made equal, sockets, ready. The role is the socket: each has a small table of verbs, and a verb
not in the table is refused. Requests of all connections are answered one after another, each in one transaction; what a
crash interrupts was not answered and did not happen. A log that is in doubt, or another's, ends the process.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from holdfast.access.ports import Clock, KeeperLog, PolicyEngine, Randomness
from holdfast.database.opening import close_database, open_database
from holdfast.drivers.epochfiles import EpochFiles
from holdfast.drivers.keeperclient import fitting
from holdfast.drivers.locking import only_one
from holdfast.keeper.answering import Answering
from holdfast.keeper.connections import Connections
from holdfast.keeper.masterkey import read_master_key
from holdfast.keeper.office import Office, Outside
from holdfast.keeper.paths import ROLES, KeeperPaths
from holdfast.kernel.errors import ConfigurationError, HoldfastError, OutcomeUnknownError, VerificationError
from holdfast.kernel.names import Installation

logger = logging.getLogger("holdfast.keeper")
TICK_SECONDS = 1.0


async def serve(
    paths: KeeperPaths,
    installation: Installation,
    *,
    clock: Clock,
    randomness: Randomness,
    log: KeeperLog,
    policies: PolicyEngine,
    ready: Callable[[], None],
    stop: asyncio.Event,
    elapsed: Callable[[], int] = time.monotonic_ns,
) -> None:
    """Serve until `stop` is set; `ready` is called once all sockets listen.

    ConflictError `already-running` if another keeper has this home; other errors as in `open_office`.
    """
    outside = Outside(installation, clock, elapsed, randomness, log, policies)
    loop = asyncio.get_running_loop()
    with _alone(paths), ThreadPoolExecutor(1, "keeper-database") as thread:
        try:
            office = await loop.run_in_executor(thread, open_office, paths, outside)
            connections = Connections(Answering(office), thread)
            with contextlib.ExitStack() as sockets:
                listening = {role: sockets.enter_context(_listening(paths.socket(role))) for role in ROLES}
                await connections.listen(listening)
                ready()
                await _ticking(office, thread, stop)
                await connections.close()
            await loop.run_in_executor(thread, _tick, office)
        finally:
            await loop.run_in_executor(thread, close_database)


def open_office(paths: KeeperPaths, outside: Outside) -> Office:
    """The keeper at work over its opened database; call it in the database thread.

    ConfigurationError for a wrong master key, missing epoch keys or a database that does not open; VerificationError
    `keeper-log` if log and database do not belong together.
    """
    epochs = EpochFiles(paths.epochs, outside.installation, read_master_key(paths.master_key))
    open_database(paths.database)
    office = Office(outside, epochs)
    office.flush()
    return office


async def _ticking(office: Office, thread: ThreadPoolExecutor, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TICK_SECONDS)
        await asyncio.get_running_loop().run_in_executor(thread, _tick, office)


def _tick(office: Office) -> None:
    # The next tick tries again whatever this one could not do (a full disk, say); serving goes on. But a log whose
    # checkpoint is in doubt, or that is not this database's, is only understood by a keeper that starts anew.
    try:
        office.tick()
    except (VerificationError, OutcomeUnknownError):
        raise
    except HoldfastError as error:
        logger.warning("tick failed: %s", error.code)
    except Exception as error:  # the one place that keeps the keeper alive between requests
        logger.warning("tick failed: %s", type(error).__name__)


@contextmanager
def _alone(paths: KeeperPaths) -> Iterator[None]:
    if not paths.folder.is_dir():
        raise ConfigurationError("keeper-home", "the keeper's folder is not there; `holdfast init` makes it")
    with only_one(paths.lock, "keeper"):
        yield


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    place = fitting(path)
    path.unlink(missing_ok=True)  # left by a keeper that was killed: we hold the lock
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            listener.bind(place)
        finally:
            os.umask(before)
        listener.listen(128)
        listener.setblocking(False)
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)
