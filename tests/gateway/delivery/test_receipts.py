"""What a recipient may answer, in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.receipts import (
    ASSESSED_KINDS,
    FIRST,
    Contradicts,
    Receipt,
    Rejection,
    Repeated,
    Result,
    Taken,
    step,
)
from schemas.catalogue import CATALOGUE

TEST = "custody.drug-test.recorded"
RELEASE = "imprisonment.released"
receipts = st.builds(Receipt, st.sampled_from(Result), st.none() | st.sampled_from(["stockport", "other"]))


def told(*results: Result) -> list[Receipt]:
    """These answers, one after the other."""
    return [Receipt(result) for result in results]


@pytest.mark.parametrize("result", [Result.ACCEPTED, Result.ACCEPTED_WITH_CHANGES, Result.DUPLICATE])
@pytest.mark.parametrize("state", ["queued", "offered", "parked"])
def test_taking_a_message_acknowledges_it(result: Result, state: str) -> None:
    """From wherever it stood; a parked one needs nobody any more."""
    assert step(RELEASE, state, [], Receipt(result)) == Taken(1, "acknowledged")


def test_not_our_area_goes_to_operations() -> None:
    """The home area was perhaps wrong; nothing forwards itself."""
    taken = step(TEST, "offered", [], Receipt(Result.NOT_OUR_AREA, "wigan"))
    assert isinstance(taken, Taken)
    assert (taken.state, taken.reason, taken.owner) == ("rejected", "recipient_said_not_our_area", "operations")


@pytest.mark.parametrize(
    ("code", "owner"),
    [(code, "sender" if code is Rejection.INCOMPLETE else "operations") for code in Rejection],
)
def test_a_rejection_goes_to_who_can_mend_it(code: Rejection, owner: str) -> None:
    """What is incomplete, to the sender; all else is ours to look at."""
    taken = step(TEST, "offered", [], Receipt(Result.REJECTED, code))
    assert isinstance(taken, Taken)
    assert (taken.state, taken.owner) == ("rejected", owner)


@pytest.mark.parametrize("result", [Result.ASSESSMENT_ATTENDED, Result.ASSESSMENT_MISSED, Result.ASSESSMENT_STARTED])
@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_only_what_asks_to_an_assessment_can_be_kept_or_missed(kind: str, result: Result) -> None:
    """On every other kind such an answer contradicts the message."""
    outcome = step(kind, "acknowledged", told(Result.ACCEPTED), Receipt(result))
    assert isinstance(outcome, Taken if kind in ASSESSED_KINDS else Contradicts)


def test_the_kinds_that_ask_to_an_assessment_exist() -> None:
    """A kind that is renamed is renamed here."""
    assert CATALOGUE.keys() >= ASSESSED_KINDS


@pytest.mark.parametrize(
    ("before", "new"),
    [
        ([Result.ACCEPTED], Result.REJECTED),
        ([Result.ACCEPTED], Result.NOT_OUR_AREA),
        ([Result.ACCEPTED], Result.DUPLICATE),
        ([Result.REJECTED], Result.ACCEPTED),
        ([Result.REJECTED], Result.CLOSED),
        ([Result.NOT_OUR_AREA], Result.ASSESSMENT_MISSED),
        ([Result.ASSESSMENT_MISSED], Result.ASSESSMENT_ATTENDED),
        ([Result.ASSESSMENT_ATTENDED], Result.ASSESSMENT_MISSED),
        ([Result.ASSESSMENT_STARTED], Result.REJECTED),
        ([Result.ACCEPTED, Result.CLOSED], Result.ASSESSMENT_STARTED),
    ],
)
def test_a_contradiction_is_refused(before: list[Result], new: Result) -> None:
    """What the sender was told stays true."""
    assert isinstance(step(TEST, "acknowledged", told(*before), Receipt(new)), Contradicts)


@given(st.sampled_from([TEST, RELEASE]), st.sampled_from(["offered", "superseded"]), st.lists(receipts, max_size=12))
def test_any_row_of_answers_leaves_one_story(kind: str, state: str, row: list[Receipt]) -> None:
    """Whatever comes: one first answer, no answer twice, numbers without gaps; a repeat changes nothing."""
    told: list[Receipt] = []
    for receipt in row:
        match step(kind, state, told, receipt):
            case Taken(number) as taken:
                told.append(receipt)
                assert number == len(told)
                assert state != "superseded" or taken.state == "superseded"
                state = taken.state
            case Repeated(number):
                assert told[number - 1] == receipt
            case Contradicts(sentence):
                assert sentence
    results = [receipt.result for receipt in told]
    assert len(FIRST.intersection(results)) <= 1
    assert len(results) == len(set(results))
    assert Result.CLOSED not in results[:-1]
    if not results:
        assert state in ("offered", "superseded")
