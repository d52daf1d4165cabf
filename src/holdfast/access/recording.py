"""Events recorded, and the keeper's log kept equal to them.

Order: the event with its salt, and the log entry that commits to it, are entered in the transaction of the change they
tell of; then the entry is appended to the log; then its index is marked. Entries enter the log in the order of their
rows and nothing else does, so after a crash between the two the log's size says which rows are in it already.
"""

from collections.abc import Mapping

from holdfast.access.ports import Clock, EventRecord, EventRecords, KeeperLog, Randomness
from holdfast.formats import canonical
from holdfast.formats.canonical import Json
from holdfast.formats.entries import KEEPER, Destruction, EventEntry, KeyDestroyed, NodeOpened, event_commitment
from holdfast.formats.spelling import decode64, encode64
from holdfast.formats.wrapping import KeyRecord
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import rfc3339
from holdfast.kernel.names import EnvironmentName

SALT_BYTES = 16


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
        now = self._clock.now()
        event: dict[str, Json] = {
            "v": 1,
            "kind": kind,
            "time": rfc3339(now),
            "environment": environment or "",
            "number": head.number + 1,
            "previous": head.commitment,
            **body,
        }
        salt = self._randomness.bytes(SALT_BYTES)
        commitment = event_commitment(salt, event)
        self._records.enter(
            EventEntry(KEEPER, now, commitment).encode(),
            EventRecord(
                head.number + 1, environment, head.commitment, salt, canonical.dump(event), encode64(commitment)
            ),
        )

    def node_opened(self, origin: str, vkey: str) -> None:
        """Enter that a node's log begins, and with which verifier key."""
        self._records.enter(NodeOpened(KEEPER, self._clock.now(), origin, vkey, None).encode(), None)

    def key_destroyed(self, record: KeyRecord, reason: Destruction) -> None:
        """Enter that a key is gone."""
        commitment = decode64(record.commitment, 32)
        self._records.enter(KeyDestroyed(KEEPER, self._clock.now(), record.id, reason, commitment).encode(), None)

    def flush(self) -> None:
        """Append what waits to the log and mark it; first mark what an earlier flush appended and did not mark.

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
        if appended < len(waiting):
            self._log.append([entry for _, entry in waiting[appended:]])
        if waiting:
            self._records.mark_logged([row for row, _ in waiting], known)

    @property
    def size(self) -> int:
        """Entries in the log."""
        return self._log.size
