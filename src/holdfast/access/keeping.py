"""Data keys made and opened (formats, Keys).

A key is drawn, committed to, wrapped under the current epoch key with its record as additional data, and entered;
the caller's transaction makes it true, together with the event that commits to it. Wrapped bytes in a rolled back
transaction were never handed out.
"""

from collections.abc import Mapping, Sequence

from holdfast.access.ports import Clock, EpochKeys, KeyRecords, Randomness, WrappedKey
from holdfast.formats.wrapping import KEY_BYTES, NONCE_BYTES, KeyRecord, commitment
from holdfast.kernel.errors import MalformedError, RefusedError
from holdfast.kernel.instants import Day, Instant, day_of
from holdfast.kernel.keys import DataKey, KeyKind, KeyRequest
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName
from holdfast.kernel.secrets import Secret

MIDNIGHT_NS = 600_000_000_000
"""A pseudonym key is made for today only; clocks may differ by ten minutes around midnight."""


class KeyKeeping:
    """Makes and opens data keys."""

    def __init__(self, records: KeyRecords, epochs: EpochKeys, clock: Clock, randomness: Randomness) -> None:
        self._records = records
        self._epochs = epochs
        self._clock = clock
        self._randomness = randomness

    def make(self, node: NodeName, requests: Sequence[KeyRequest]) -> tuple[Sequence[DataKey], Sequence[KeyRecord]]:
        """The keys asked for, in order, and the records of those that are new.

        A pseudonym key is made once per environment and day. MalformedError for a request that is none; RefusedError
        `pseudonym-day` for a day that is not today, `key-destroyed` for a day whose key is gone.
        """
        new: list[WrappedKey] = []
        days = self._pseudonyms(requests, new)
        keys: list[DataKey] = []
        for request in requests:
            if (request.stream is None) != (request.kind is KeyKind.PSEUDONYM):
                raise MalformedError("key-request", "a pseudonym key has no stream, every other key has one")
            if request.kind is KeyKind.PSEUDONYM:
                keys.append(days[request.environment, request.day])
            else:
                keys.append(self._new(request, node, new))
        self._records.add(new)
        return keys, [key.record for key in new]

    def open(self, keys: Sequence[WrappedKey]) -> Mapping[KeyId, Secret]:
        """The keys' bytes. VerificationError if a record was changed behind the keeper's back."""
        return {key.record.id: self._unwrap(key) for key in keys}

    def _pseudonyms(
        self, requests: Sequence[KeyRequest], new: list[WrappedKey]
    ) -> dict[tuple[EnvironmentName, Day], DataKey]:
        today = _days_around(self._clock.now())
        wanted = {(item.environment, item.day): item for item in requests if item.kind is KeyKind.PSEUDONYM}
        for _, day in wanted:
            if day not in today:
                raise RefusedError("pseudonym-day", "a pseudonym key is made for today only", day=day)
        held = self._records.pseudonyms(wanted) if wanted else {}
        keys: dict[tuple[EnvironmentName, Day], DataKey] = {}
        for at, request in wanted.items():
            key = held.get(at)
            if key is None:
                keys[at] = self._new(request, None, new)
            else:
                keys[at] = DataKey(
                    key.record.id, request.kind, request.environment, None, request.day, self._unwrap(key)
                )
        return keys

    def _new(self, request: KeyRequest, node: NodeName | None, new: list[WrappedKey]) -> DataKey:
        key = Secret(self._randomness.bytes(KEY_BYTES))
        record = KeyRecord(
            KeyId(self._randomness.bytes(16).hex()),
            request.kind,
            request.environment,
            request.stream,
            request.day,
            node,
            self._epochs.current,
            commitment(key),
        )
        wrap = self._epochs.wrap_of(record.epoch)
        new.append(WrappedKey(record, wrap.wrap(key, self._randomness.bytes(NONCE_BYTES), record.additional_data())))
        return DataKey(record.id, request.kind, request.environment, request.stream, request.day, key)

    def _unwrap(self, key: WrappedKey) -> Secret:
        return self._epochs.wrap_of(key.record.epoch).unwrap(key.wrapped, key.record.additional_data())


def _days_around(now: Instant) -> set[Day]:
    return {day_of(Instant(now + shift)) for shift in (-MIDNIGHT_NS, 0, MIDNIGHT_NS)}
