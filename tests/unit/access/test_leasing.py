"""Leases: a key is over when its last lease is, and after a start only when one lease time has passed."""

from holdfast.access.leasing import LEASE_SECONDS, Leases
from holdfast.kernel.names import KeyId

ONE, TWO = KeyId("1" * 32), KeyId("2" * 32)
SECOND = 1_000_000_000


class Elapsed:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        return self.now


def test_after_a_start_every_key_is_held_for_one_lease_time() -> None:
    clock = Elapsed()
    leases = Leases(clock)
    clock.now += LEASE_SECONDS * SECOND - 1
    assert leases.over([ONE]) == []
    clock.now += 1
    assert leases.over([ONE]) == [ONE]


def test_the_last_lease_counts() -> None:
    clock = Elapsed()
    leases = Leases(clock)
    clock.now += LEASE_SECONDS * SECOND
    assert leases.grant([ONE]) == LEASE_SECONDS
    clock.now += 30 * SECOND
    leases.grant([ONE])
    clock.now += 59 * SECOND
    assert leases.over([ONE, TWO]) == [TWO]
    clock.now += SECOND
    assert leases.over([ONE, TWO]) == [ONE, TWO]


def test_old_leases_are_forgotten() -> None:
    clock = Elapsed()
    leases = Leases(clock)
    for at in range(0, 30_000, 3_000):
        clock.now += 2 * LEASE_SECONDS * SECOND
        leases.grant([KeyId(f"{number:032x}") for number in range(at, at + 3_000)])
    assert len(leases._ends) <= 12_000
