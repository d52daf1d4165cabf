"""The keeper's office: everything its verbs work with, opened in the database thread and used from it alone.

A verb runs in one transaction. Once a second `tick` destroys the keys whose last lease is over and appends what was
recorded to the log; what it did not get to is done by the next tick, or by the next start.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from holdfast.access.deciding import Deciding
from holdfast.access.destroying import Destroying
from holdfast.access.keeping import KeyKeeping
from holdfast.access.leasing import Leases
from holdfast.access.ports import Clock, EpochKeys, KeeperLog, PolicyEngine, Randomness
from holdfast.access.recording import Recording
from holdfast.database.events import DatabaseEvents
from holdfast.database.facts import DatabaseFacts
from holdfast.database.keyrecords import DatabaseKeyRecords
from holdfast.database.opening import forget_deleted
from holdfast.kernel.names import Installation

logger = logging.getLogger("holdfast.keeper")


@dataclass(frozen=True, slots=True)
class Outside:
    """What the keeper is given: the installation's name, clocks, randomness, its log and its policies."""

    installation: Installation
    clock: Clock
    elapsed: Callable[[], int]
    randomness: Randomness
    log: KeeperLog
    policies: PolicyEngine


class Office:
    """The keeper's parts at work over an open database."""

    def __init__(self, outside: Outside, epochs: EpochKeys) -> None:
        self.outside = outside
        self.epochs = epochs
        self.records = DatabaseKeyRecords()
        self.leases = Leases(outside.elapsed)
        self.deciding = Deciding(DatabaseFacts(), outside.policies, outside.installation)
        self.keys = KeyKeeping(self.records, epochs, outside.clock, outside.randomness)
        self.recording = Recording(DatabaseEvents(), outside.log, outside.clock, outside.randomness)
        self.destroying = Destroying(self.records, self.leases, self.recording, outside.clock)
        self._noted: dict[tuple[str, ...], int] = {}

    def tick(self) -> None:
        """Destroy what is due, then append to the log what was recorded."""
        with transaction.atomic():
            destroyed = self.destroying.carry_out()
        if destroyed:
            forget_deleted()
        self.flush()

    def flush(self) -> None:
        """Append to the log what was recorded; at start, make the two equal after a stop at any point."""
        with transaction.atomic():
            self.recording.flush()

    def is_news(self, what: tuple[str, ...], every_seconds: int) -> bool:
        """Whether this was not noted in that time: reads that repeat are recorded once in a while, not each time."""
        now = self.outside.elapsed()
        if now < self._noted.get(what, 0):
            return False
        if len(self._noted) > 10_000:
            self._noted = {known: until for known, until in self._noted.items() if until > now}
        self._noted[what] = now + every_seconds * 1_000_000_000
        return True
