"""How records are taken after a death: everything in order, the unsuspected together, the suspected in few or alone."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.addressing.consumer import PATIENCE
from gateway.addressing.suspicion import groups


@given(st.lists(st.integers(0, 4), max_size=60))
def test_every_record_is_taken_once_and_in_order(counts: list[int]) -> None:
    """The groups are the batch again; in one group all were counted equally often, and who was twice is alone."""
    taken = [counts[group] for group in groups(counts)]
    assert [count for group in taken for count in group] == counts
    assert all(len(set(group)) == 1 for group in taken)
    assert all(len(group) == 1 for group in taken if group[0] >= 2)


def test_after_a_first_death_nothing_is_slower() -> None:
    """A batch of which nothing was counted is taken whole."""
    assert groups([0] * 500) == [slice(0, 500)]


@given(st.integers(1, 500), st.data())
def test_a_record_that_kills_is_found_and_no_other_put_aside(size: int, data: st.DataObject) -> None:
    """Whichever of a batch it is: after three counted deaths it alone has used up its patience."""
    culprit = data.draw(st.integers(0, size - 1))
    counts = [0] * size
    deaths = 0
    while max(counts) < PATIENCE:
        for group in groups(counts):
            places = range(size)[group]
            for place in places:
                counts[place] += 1
            if culprit in places:
                deaths += 1
                break
            for place in places:
                counts[place] = 0
    assert deaths == PATIENCE
    assert [place for place, count in enumerate(counts) if count >= PATIENCE] == [culprit]
