"""How long the gateway waits, and when it stops."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery.patience import LONGEST_ASKED, Patience
from gateway.settings import Delivery

PATIENCE = Patience.of(Delivery())
MIDDLE = 0.5
chances = st.floats(0, 1, exclude_max=True)
waits = st.timedeltas(timedelta(0), timedelta(hours=200))


def test_the_waits_are_those_promised() -> None:
    """5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, 8 h, 12 h, then every 12 h; and after 72 h no more."""
    elapsed, found = timedelta(0), []
    attempt = 1
    while (wait := PATIENCE.after(attempt, elapsed=elapsed, asked=None, chance=lambda: MIDDLE)) is not None:
        found.append(wait.total_seconds())
        elapsed += wait
        attempt += 1
    hours = [3600.0 * h for h in (1, 2, 4, 8, 12, 12, 12, 12)]
    assert found[:-1] == [5, 30, 120, 600, 1800, *hours]
    assert elapsed == timedelta(hours=72)


@given(st.integers(1, 200), waits, st.none() | waits, chances)
def test_a_wait_stays_within_its_bounds(
    attempt: int, elapsed: timedelta, asked: timedelta | None, chance: float
) -> None:
    """Never negative; varied by a fifth at most; as long as was asked, up to an hour; none once patience is spent."""
    wait = PATIENCE.after(attempt, elapsed=elapsed, asked=asked, chance=lambda: chance)
    if elapsed >= PATIENCE.give_up_after:
        assert wait is None
        return
    assert wait is not None
    planned = PATIENCE.waits[min(attempt, len(PATIENCE.waits)) - 1]
    floor = min(asked, LONGEST_ASKED) if asked is not None else timedelta(0)
    assert wait >= floor
    assert wait <= max(planned * 1.2, floor)
    assert wait >= min(planned * 0.8, PATIENCE.give_up_after - elapsed) - timedelta(microseconds=1)


@settings(max_examples=30)
@given(st.lists(chances, min_size=1, max_size=300), st.lists(st.none() | waits, min_size=300, max_size=300))
def test_patience_always_ends(drawn: list[float], asked: list[timedelta | None]) -> None:
    """Whatever chance and the recipient say, the attempts end at 72 h, give or take one wait that was asked for."""
    elapsed, attempt = timedelta(0), 0
    while True:
        attempt += 1
        chance = drawn[attempt % len(drawn)]
        wait = PATIENCE.after(attempt, elapsed=elapsed, asked=asked[attempt % 300], chance=lambda: chance)  # noqa: B023
        if wait is None:
            break
        elapsed += wait
        assert attempt < 300
    assert timedelta(hours=72) <= elapsed <= timedelta(hours=72) + LONGEST_ASKED
