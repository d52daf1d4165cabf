"""The fakes break where they are told to."""

import pytest

from holdfast.drivers.memory import (
    Faults,
    FixedClock,
    MemoryKeySource,
    MemoryLog,
    MemoryStore,
    PowerCut,
    SeededRandomness,
)
from holdfast.kernel.errors import ConflictError, RefusedError
from holdfast.kernel.instants import Day, Instant
from holdfast.kernel.keys import KeyKind, KeyRequest
from holdfast.kernel.names import EnvironmentName, Stream

ACME = EnvironmentName("acme/main")
TODAY = Day("2026-11-20")


@pytest.mark.parametrize(("landed", "held"), [(False, ["a"]), (True, ["a", "b"])])
def test_the_nth_effect_fails_before_or_after_it_lands(landed: bool, held: list[str]) -> None:
    store = MemoryStore(faults=Faults(1, landed=landed))
    store.create("a", b"")
    with pytest.raises(PowerCut):
        store.create("b", b"")
    assert list(store.names()) == held
    store.create("c", b"")


def test_faults_are_counted_over_all_that_share_them() -> None:
    faults = Faults(1, error=OSError())
    MemoryStore(faults=faults).create("a", b"")
    with pytest.raises(OSError):
        MemoryLog(faults).append([b"entry"])


def test_a_pseudonym_key_is_made_once_a_day_and_others_always_new() -> None:
    keys = MemoryKeySource()
    pseudonym = KeyRequest(KeyKind.PSEUDONYM, ACME, None, TODAY)
    journal = KeyRequest(KeyKind.JOURNAL, ACME, Stream.APP, TODAY)
    made = keys.make_keys([pseudonym, pseudonym, journal, journal])
    assert made[0] == made[1]
    assert made[2] != made[3]
    assert set(keys.open_keys([key.id for key in made])) == {made[2].id, made[3].id}
    keys.sealed([], [made[2].id])
    assert set(keys.open_keys([key.id for key in made])) == {made[3].id}
    keys.denied.add(ACME)
    with pytest.raises(RefusedError):
        keys.make_keys([journal])


def test_clock_and_randomness_do_as_told() -> None:
    clock = FixedClock(Instant(5))
    clock.advance(2)
    assert clock.now() == 7
    assert SeededRandomness(1).bytes(16) == SeededRandomness(1).bytes(16) != SeededRandomness(2).bytes(16)
    with pytest.raises(ConflictError):
        MemoryStore().read("nothing")
