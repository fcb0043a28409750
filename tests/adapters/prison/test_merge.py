from typing import Any

import pytest

from schemas.imprisonment import Merged
from tests.adapters.prison.outcomes import fact, faults, told
from tests.adapters.prison.records import DELAYED, event, read, read_immediate


def merged(removed: object) -> dict[str, Any]:
    return event(f"{DELAYED}merged", removedNomsNumber=removed, bookingId="1730021", reason="MERGE")


def test_a_merge_names_the_survivor_and_the_number_that_is_gone() -> None:
    """Later records of the removed number can be told to be the survivor's."""
    merge = told(read(merged("A5190KX")))
    assert isinstance(merge, Merged)
    assert merge.removed.value == "A5190KX"
    assert merge.person.identifiers[0].value == "A4827KX"


def test_a_merge_never_settles_and_is_taken_from_either_family() -> None:
    """Whichever family the movements come from, a merge is published at once, on the survivor's lane."""
    for outcome in (read(merged("A5190KX")), read_immediate(merged("A5190KX"))):
        merge = fact(outcome)
        assert not merge.settles
        assert merge.lane == "NOMS:A4827KX"
        assert merge.key == "prison:A4827KX:merged:A5190KX"


@pytest.mark.parametrize(
    ("removed", "rule"), [("A4827KX", "PR-016"), ("a4827kx", "PR-016"), ("A51", "PR-012"), ("", "PR-011")]
)
def test_a_merge_that_cannot_be_is_refused(removed: str, rule: str) -> None:
    """A number merged into itself, or one that is none, is refused by rule."""
    assert faults(read(merged(removed))) == {(rule, "additionalInformation.removedNomsNumber")}
