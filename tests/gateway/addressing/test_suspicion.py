"""How records are taken after a death: everything in order, the unsuspected together, the suspected in few or alone."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.addressing.consumer import PATIENCE
from gateway.addressing.suspicion import TOGETHER, UNCOUNTED_DEATHS, groups


@given(st.lists(st.integers(0, 4), max_size=60))
def test_every_record_is_taken_once_and_in_order(counts: list[int]) -> None:
    """The groups are the batch again, none is too large, and whoever was under way in a counted death is alone."""
    taken = [counts[group] for group in groups(counts)]
    assert [count for group in taken for count in group] == counts
    assert all(len(group) <= TOGETHER for group in taken)
    assert all(len(group) == 1 for group in taken if any(group))


def test_after_a_first_death_little_is_slower() -> None:
    """A batch of which nothing was counted is taken in few groups, and not one by one."""
    assert len(groups([0] * 500)) == 16


@given(st.integers(1, 500), st.data())
def test_a_record_that_kills_is_found_and_no_other_put_aside(size: int, data: st.DataObject) -> None:
    """Whichever of a batch it is: after three deaths, the uncounted first one included, it alone is out of patience."""
    culprit = data.draw(st.integers(0, size - 1))
    counts = [0] * size
    deaths = UNCOUNTED_DEATHS
    while max(counts) < PATIENCE:
        for group in groups(counts):
            places = range(size)[group]
            for place in places:
                counts[place] += 1 if counts[place] else 1 + UNCOUNTED_DEATHS
            if culprit in places:
                deaths += 1
                break
            for place in places:
                counts[place] = 0
    assert deaths == PATIENCE
    assert [place for place, count in enumerate(counts) if count >= PATIENCE] == [culprit]
