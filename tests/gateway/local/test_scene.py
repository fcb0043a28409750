"""A journey's expectations are exact: what is missing, too much, in another order or at another recipient is seen."""

from collections.abc import Sequence
from typing import cast

import pytest

from gateway.local.arrivals import Arrival
from gateway.local.cast import MET
from gateway.local.journeys.cast import ENFIELD, STOCKPORT, WIGAN
from gateway.local.scene import Scene, Told
from gateway.local.stage import Sent, Stage

TEST: Told = ("test", "fact", "home")
MOVED: Told = ("moved", "correction", "home")
SENT = Sent(MET, "test", 202, "r")


class Played:
    """A stage on which all is over: these are the arrivals."""

    def __init__(self, came: Sequence[tuple[str, Told]]) -> None:
        self._came = came

    async def arrivals(self, _: Sequence[Sent]) -> list[Arrival]:
        """What came."""
        return [
            Arrival(recipient, f"d{place}", "e", *told, "P-A", 0.0)
            for place, (recipient, told) in enumerate(self._came)
        ]


def scene(*came: tuple[str, Told]) -> Scene:
    """A scene at which this arrived."""
    return Scene(cast(Stage, Played(came)))


async def test_what_comes_as_it_should_is_well() -> None:
    """Everybody got exactly theirs, in order; what came counts as looked at."""
    played = scene((STOCKPORT.id, TEST), (STOCKPORT.id, MOVED), (ENFIELD.id, TEST))
    await played.reached(SENT, {STOCKPORT: [TEST, MOVED], ENFIELD: [TEST]})
    assert played.wrong == []
    assert (played.checks, played.claimed) == (2, {"d0", "d1", "d2"})


@pytest.mark.parametrize(
    ("came", "sentence"),
    [
        ([], "of the test, Stockport should have got test (fact, as home), then moved (correction, as home), and got"),
        ([(STOCKPORT.id, MOVED), (STOCKPORT.id, TEST)], "and got moved (correction, as home), then test"),
        (
            [(STOCKPORT.id, TEST), (STOCKPORT.id, TEST), (STOCKPORT.id, MOVED)],
            "and got test (fact, as home), then test",
        ),
        (
            [(STOCKPORT.id, TEST), (STOCKPORT.id, MOVED), (WIGAN.id, TEST)],
            "Wigan should have got nothing, and got test",
        ),
        ([(STOCKPORT.id, ("test", "fact", "holding")), (STOCKPORT.id, MOVED)], "and got test (fact, as holding)"),
    ],
    ids=["missing", "out of order", "twice", "at somebody else", "in another role"],
)
async def test_what_differs_is_told_in_a_sentence(came: list[tuple[str, Told]], sentence: str) -> None:
    """Every difference is one sentence that names the recipient, what it should have got, and what it got."""
    played = scene(*came)
    await played.reached(SENT, {STOCKPORT: [TEST, MOVED]})
    (wrong,) = played.wrong
    assert sentence in wrong
