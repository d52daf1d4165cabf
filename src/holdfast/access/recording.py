"""Events recorded, and the keeper's log kept equal to them.

Order: the event with its salt, and the log entry that commits to it, are entered in the transaction of the change they
tell of; then the entry is appended to the log; then its index is marked. Entries enter the log in the order of their
rows and nothing else does, so after a crash between the two the log's size says which rows are in it already.
"""

import base64
import hashlib
from collections.abc import Mapping

from holdfast.access.ports import Clock, EventRecord, EventRecords, KeeperLog, Randomness
from holdfast.formats import canonical
from holdfast.formats.canonical import Json
from holdfast.formats.wrapping import KeyRecord
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import rfc3339
from holdfast.kernel.names import EnvironmentName

SALT_BYTES = 16
KEEPER = "keeper"


class Recording:
    """Writes what happened where nobody can take it back."""

    def __init__(self, records: EventRecords, log: KeeperLog, clock: Clock, randomness: Randomness) -> None:
        self._records = records
        self._log = log
        self._clock = clock
        self._randomness = randomness

    def record(self, kind: str, environment: EnvironmentName | None, body: Mapping[str, Json]) -> None:
        """Enter an event. Events of one environment (or of none) form a chain: number, commitment before."""
        head = self._records.head(environment)
        time = rfc3339(self._clock.now())
        text = canonical.dump(
            {
                "v": 1,
                "kind": kind,
                "time": time,
                "environment": environment or "",
                "number": head.number + 1,
                "previous": head.commitment,
                **body,
            }
        )
        salt = self._randomness.bytes(SALT_BYTES)
        commitment = base64.b64encode(hashlib.sha256(salt + text).digest()).decode()
        entry = self._entry("event", time, {"commitment": commitment})
        event = EventRecord(head.number + 1, environment, head.commitment, salt, text, commitment)
        self._records.enter(entry, event)

    def node_opened(self, origin: str, vkey: str) -> None:
        """Enter that a node's log begins, and with which verifier key."""
        body = {"origin": origin, "vkey": vkey, "predecessor_size": "0", "predecessor_root": ""}
        self._records.enter(self._entry("node-opened", rfc3339(self._clock.now()), body), None)

    def key_destroyed(self, record: KeyRecord, reason: str) -> None:
        """Enter that a key is gone."""
        body = {"key": record.id, "reason": reason, "commitment": record.commitment}
        self._records.enter(self._entry("key-destroyed", rfc3339(self._clock.now()), body), None)

    def flush(self) -> int:
        """Append what waits to the log and mark it; how many entries that were."""
        waiting = self._records.waiting()
        if waiting:
            first = self._log.size
            self._log.append([entry for _, entry in waiting])
            self._records.mark_logged([row for row, _ in waiting], first)
        return len(waiting)

    def recover(self) -> None:
        """Make rows and log equal again after a stop at any point.

        VerificationError `keeper-log` if the log is behind what was marked, or ahead of all that was entered: one of
        the two was replaced by an older copy.
        """
        known, waiting = self._records.logged(), self._records.waiting()
        appended = self._log.size - known
        if not 0 <= appended <= len(waiting):
            raise VerificationError(
                "keeper-log",
                "the keeper's log and its database do not belong together",
                log_size=self._log.size,
                marked=known,
                waiting=len(waiting),
            )
        self._records.mark_logged([row for row, _ in waiting[:appended]], known)
        self.flush()

    @property
    def size(self) -> int:
        """Entries in the log."""
        return self._log.size

    def _entry(self, kind: str, time: str, body: Mapping[str, Json]) -> bytes:
        return canonical.dump({"v": 1, "kind": kind, "node": KEEPER, "time": time, **body})
