"""The pseudonym keys of today, as the keeper gives them: one per environment and day, asked for once."""

from collections.abc import Mapping, Sequence

from holdfast.kernel.instants import Day
from holdfast.kernel.keys import KeyKind, KeyRequest
from holdfast.kernel.names import EnvironmentName
from holdfast.vault.ports import KeySource


class PseudonymKeys:
    """Keys of one day at a time; the day before is forgotten when the next begins."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._day: Day | None = None
        self._held: dict[str, bytes] = {}

    def __call__(self, environments: Sequence[EnvironmentName], day: Day) -> Mapping[str, bytes]:
        """The day's keys of these environments. BusyError if the keeper is away and one is not held yet."""
        if day != self._day:
            self._day, self._held = day, {}
        wanted = [name for name in environments if name not in self._held]
        if wanted:
            made = self._keys.make_keys([KeyRequest(KeyKind.PSEUDONYM, name, None, day) for name in wanted])
            for name, data_key in zip(wanted, made, strict=True):
                self._held[name] = data_key.key.reveal()
        return self._held
