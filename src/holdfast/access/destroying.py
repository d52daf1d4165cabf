"""Data keys destroyed: marked first (from then on nobody gets them), gone when the last lease is over.

The mark is in the caller's transaction, so destruction that waits survives a restart. `carry_out` deletes the wrapped
bytes and enters the log entries in one transaction: a key is never gone without a record of it.

A journal or state key ends when its lines lie in sealed segments, so its destruction erases nothing: the event of the
sealing names the keys. Any other key's destruction is a `key-destroyed` entry of its own.
"""

from collections.abc import Sequence

from holdfast.access.leasing import Leases
from holdfast.access.ports import Clock, KeyRecords
from holdfast.access.recording import Recording
from holdfast.formats.entries import Destruction
from holdfast.formats.wrapping import KeyRecord
from holdfast.kernel.names import KeyId

SEALED = "sealed"
"""The reason of a journal key's destruction; the others are those of `formats.entries.Destruction`."""


class Destroying:
    """Destroys data keys once nobody holds them."""

    def __init__(self, records: KeyRecords, leases: Leases, recording: Recording, clock: Clock) -> None:
        self._records = records
        self._leases = leases
        self._recording = recording
        self._clock = clock

    def request(self, keys: Sequence[KeyId], reason: str) -> Sequence[KeyRecord]:
        """Mark keys; the records of those newly marked. Within the caller's transaction."""
        return self._records.mark(keys, reason)

    def carry_out(self) -> int:
        """Destroy the marked keys that nobody holds any more; how many. Within the caller's transaction."""
        marked = self._records.marked()
        free = self._leases.over(marked)
        for record in self._records.destroy(free, self._clock.now()) if free else ():
            if marked[record.id] != SEALED:
                self._recording.key_destroyed(record, Destruction(marked[record.id]))
        return len(free)
