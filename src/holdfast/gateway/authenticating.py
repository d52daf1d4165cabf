"""One SSH connection: who it is, what they may open, and the one record of it.

Public keys only. The keeper decides whether a key may connect to the environment that the user name stands for; an
environment that does not exist and a key that may not come in look the same from outside, and a user name as typed is
kept nowhere: it may be a password. The record is made when the connection ends, whatever ended it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from holdfast.formats.connections import ConnectionRecord, Outcome
from holdfast.gateway.admission import Admission, Bounds
from holdfast.gateway.channels import Channel, Session
from holdfast.gateway.opening import Visitor
from holdfast.gateway.ports import Prover, RecordSink
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, PersonId, environment_of_login
from holdfast.rules.policy import Allowed
from holdfast.vault.reading import Library
from holdfast.vault.readingports import Keeper


@dataclass(frozen=True, slots=True)
class House:
    """What all connections share."""

    keeper: Keeper
    library: Library
    records: RecordSink
    prover: Prover | None
    admission: Admission
    bounds: Bounds
    executor: Executor
    now: Callable[[], Instant]
    monotonic: Callable[[], float]
    doors: "set[Door]" = field(default_factory=set)
    """Connections that are open."""

    async def close(self) -> None:
        """Close every connection and wait until it is gone."""
        doors = list(self.doors)
        for door in doors:
            door.close()
        await asyncio.gather(*(door.gone.wait() for door in doors))


@dataclass(frozen=True, slots=True)
class _Shown:
    """The last key shown, and what the keeper said."""

    fingerprint: str
    person: PersonId | None
    allowed: bool
    environment: EnvironmentName | None


class Door(asyncssh.SSHServer):
    """One connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._began = house.now()
        self._since = house.monotonic()
        self.gone = asyncio.Event()
        self._connection: Any = None
        self._address = ""
        self._waiting = False
        self._tries = 0
        self._shown: _Shown | None = None
        self._visitor: Visitor | None = None
        self._channels = 0
        self._opened = 0
        self._bytes = 0

    def connection_made(self, conn: "asyncssh.SSHServerConnection") -> None:
        """Somebody is at the door."""
        self._connection = conn
        self._house.doors.add(self)
        peer = conn.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""
        if self._house.records.accepting() and self._house.admission.enter(self._address):
            self._waiting = True
        else:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone: record it."""
        house, shown = self._house, self._shown
        house.doors.discard(self)
        self.gone.set()
        if self._visitor is not None:
            house.admission.part(self._visitor.person)
            outcome = Outcome.SERVED if exc is None else Outcome.BROKEN
        else:
            if self._waiting:
                house.admission.leave(self._address)
            outcome = Outcome.UNAUTHENTICATED if shown is None else Outcome.REFUSED
        house.records.record(
            shown.environment if shown else None,
            ConnectionRecord(
                self._began,
                int(house.monotonic() - self._since),
                self._address,
                shown.person if shown else None,
                shown.fingerprint if shown else None,
                outcome,
                self._opened,
                self._bytes,
            ),
        )

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def begin_auth(self, username: str) -> bool:
        """Everybody shows a key."""
        return True

    def public_key_auth_supported(self) -> bool:
        """The only way in."""
        return True

    def password_auth_supported(self) -> bool:
        """Never."""
        return False

    def kbdint_auth_supported(self) -> bool:
        """Never."""
        return False

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether the holder of this key may connect here. Asked before and with the signature, which is checked after
        this: the last key asked about is the one that comes in."""
        house = self._house
        self._tries += 1
        if self._tries > house.bounds.keys:
            self._connection.abort()
            return False
        fingerprint = key.get_fingerprint("sha256")
        environment = environment_of_login(username)
        if environment is None:
            self._shown = _Shown(fingerprint, None, False, None)
            return False
        try:
            person, decision = await house.keeper.authenticate(fingerprint, username)
        except HoldfastError:
            self._shown = _Shown(fingerprint, None, False, environment)
            return False
        allowed = isinstance(decision, Allowed) and person is not None and house.records.accepting(environment)
        self._shown = _Shown(fingerprint, person, allowed, environment)
        return allowed

    def auth_completed(self) -> None:
        """The signature held."""
        house, shown = self._house, self._shown
        if shown is None or not shown.allowed or shown.person is None or shown.environment is None:
            self._connection.abort()
            return
        self._waiting = False
        if not house.admission.promote(self._address, shown.person):
            self._connection.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "too many connections; come again later")
            return
        self._visitor = Visitor(
            shown.person,
            shown.fingerprint,
            shown.environment,
            house.keeper,
            house.library,
            house.executor,
            house.now,
            house.monotonic,
        )

    def session_requested(self) -> Any:
        """A channel for a command or SFTP, if there are not too many."""
        if self._visitor is None or self._channels >= self._house.bounds.channels:
            return False
        self._channels += 1
        self._opened += 1
        channel = Channel(self._connection, self._count)
        return channel, Session(self._visitor, self._house.prover, self._house.bounds.handles, self._channel_ended)

    def _channel_ended(self) -> None:
        self._channels -= 1

    def _count(self, written: int) -> None:
        self._bytes += written


def door_of(house: House) -> Callable[[], Door]:
    """Doors, one for each connection. Must run in the event loop."""
    asyncio.get_running_loop()
    return lambda: Door(house)
