from holdfast.wiring.children import LONGEST_DELAY, STABLE_SECONDS, BackOff


def test_a_child_that_keeps_dying_is_started_ever_more_rarely() -> None:
    delays = BackOff()
    assert [delays.after(0.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, LONGEST_DELAY, LONGEST_DELAY]


def test_a_child_that_was_stable_is_started_soon() -> None:
    delays = BackOff()
    for _ in range(5):
        delays.after(1.0)
    assert delays.after(STABLE_SECONDS) == 0.5
    assert delays.after(1.0) == 1.0
