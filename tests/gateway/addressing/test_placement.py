"""Where home is and who holds the person: every rule by its table, and what holds for all of them."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local_time import day_moment
from gateway.addressing.determination import Confidence, Role
from gateway.addressing.evidence import DATED, INSTITUTION, NO_FIXED_ABODE, Evidence
from gateway.addressing.holding import current_stay, determine_holding
from gateway.addressing.placement import determine_home
from tests.support.addressing import places

START = datetime(2025, 6, 1, 9, 0, tzinfo=UTC)
AS_OF = date(2026, 3, 3)
STOCKPORT, WIGAN, ENFIELD, LINCOLN, LEEDS = "E08000007", "E08000010", "E09000010", "E07000138", "E08000035"
CONFIRMED, PROBABLE = Confidence.CONFIRMED, Confidence.PROBABLE
PROVISIONAL, UNRESOLVED = Confidence.PROVISIONAL, Confidence.UNRESOLVED


def said(
    kind: str,
    authority: str | None,
    day: int = 0,
    *flags: str,
    start: date | None = None,
    end: date | None = None,
) -> Evidence:
    """Something said so many days after the start."""
    at = START + timedelta(days=day)
    return Evidence(
        id=uuid.uuid4(),
        person_id=uuid.UUID(int=0),
        event_id=uuid.uuid4(),
        fact=b"fact",
        kind=kind,
        authority=authority,
        flags=frozenset(flags),
        start=start,
        end=end,
        occurred=at,
        known=at,
    )


def hostel(authority: str, *, start: date | None = date(2025, 7, 1), end: date | None = None) -> Evidence:
    """Approved premises as the main address at probation."""
    return said("institution", authority, 31, INSTITUTION, start=start, end=end)


@pytest.mark.parametrize(
    ("evidence", "area", "basis", "confidence"),
    [
        pytest.param([], None, "nothing_known", UNRESOLVED, id="nothing was said"),
        pytest.param(
            [said("declared", STOCKPORT), said("main", None, 30, NO_FIXED_ABODE)],
            "stockport",
            "settled_before_no_fixed_abode",
            PROBABLE,
            id="probation says homeless: where the person lived within the year",
        ),
        pytest.param(
            [said("declared", STOCKPORT, -400), said("main", None, 30, NO_FIXED_ABODE)],
            None,
            "no_fixed_abode",
            PROVISIONAL,
            id="probation says homeless, and nothing newer than a year",
        ),
        pytest.param(
            [said("main", None, 30, NO_FIXED_ABODE), said("declared", WIGAN, 40)],
            "wigan",
            "declared",
            PROBABLE,
            id="homeless at probation, and declared since",
        ),
        pytest.param(
            [said("previous", STOCKPORT, end=date(2025, 6, 30)), hostel(LINCOLN)],
            "stockport",
            "residence_before_placement",
            PROBABLE,
            id="approved premises leave home where it was",
        ),
        pytest.param(
            [said("previous", STOCKPORT, end=date(2025, 6, 30)), hostel(LINCOLN), said("declared", WIGAN, 60)],
            "wigan",
            "declared",
            PROBABLE,
            id="what was stated since is newer than the residence before",
        ),
        pytest.param(
            [said("previous", STOCKPORT, end=date(2025, 6, 30)), hostel(LINCOLN, end=date(2025, 9, 1))],
            None,
            "nothing_known",
            UNRESOLVED,
            id="who left approved premises does not go back by themselves",
        ),
        pytest.param(
            [said("previous", STOCKPORT, end=date(2025, 6, 5)), said("imprisonment", LINCOLN, 2)],
            "stockport",
            "residence_before_reception",
            PROBABLE,
            id="probation calls the residence that ended at reception previous",
        ),
        pytest.param([said("main", STOCKPORT)], "stockport", "main_residence", CONFIRMED, id="main and current"),
        pytest.param(
            [said("main", STOCKPORT), said("declared", WIGAN, 5)],
            "stockport",
            "main_residence",
            CONFIRMED,
            id="main beats a newer declared",
        ),
        pytest.param(
            [said("main", STOCKPORT, end=date(2025, 7, 1)), said("declared", WIGAN)],
            "wigan",
            "declared",
            PROBABLE,
            id="a main residence that ended is none",
        ),
        pytest.param(
            [said("main", STOCKPORT, start=date(2025, 1, 1)), said("main", WIGAN, start=date(2025, 2, 1))],
            "wigan",
            "main_residence",
            CONFIRMED,
            id="of two open ones the later start",
        ),
        pytest.param(
            [said("main", STOCKPORT, start=date(2025, 1, 1)), said("main", WIGAN, start=date(2025, 1, 1))],
            None,
            "main_residence_tie",
            UNRESOLVED,
            id="two that start together are a tie",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("declared", WIGAN, 3)],
            "wigan",
            "declared",
            PROBABLE,
            id="among declared ones the newer",
        ),
        pytest.param(
            [said("declared", WIGAN, 3), said("declared", STOCKPORT)],
            "wigan",
            "declared",
            PROBABLE,
            id="newer by when it was so, not by when it came",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("declared", WIGAN)], None, "declared_tie", UNRESOLVED, id="a tie"
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("declared", None, 3)],
            None,
            "postcode_unknown",
            UNRESOLVED,
            id="a newer postcode that lies nowhere we know is no reason to guess",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("declared", WIGAN, 3, INSTITUTION)],
            "stockport",
            "declared",
            PROBABLE,
            id="rule 4: the residence before the hostel",
        ),
        pytest.param(
            [said("declared", WIGAN, 0, INSTITUTION)], None, "nothing_known", UNRESOLVED, id="an institution alone"
        ),
        pytest.param(
            [said("reception", WIGAN), said("imprisonment", LINCOLN)],
            "wigan",
            "declared_at_reception",
            PROBABLE,
            id="rule 2: given at reception",
        ),
        pytest.param(
            [said("main", WIGAN, -9, end=date(2025, 6, 1)), said("imprisonment", LINCOLN)],
            "wigan",
            "residence_before_reception",
            PROBABLE,
            id="rule 2: the main residence that ended at reception",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("discharge", WIGAN, 3, "confirmed")],
            "stockport",
            "declared",
            PROBABLE,
            id="rule 3: a discharge address is a plan until the release",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("discharge", WIGAN, 3, "confirmed"), said("release", None, 9)],
            "wigan",
            "declared_for_release",
            PROBABLE,
            id="and a home from then on",
        ),
        pytest.param(
            [said("discharge", STOCKPORT, 2), said("discharge", WIGAN, 3), said("release", None, 9)],
            "wigan",
            "declared_for_release",
            PROBABLE,
            id="of two plans for one release the newer",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("declared", None, 200, NO_FIXED_ABODE)],
            "stockport",
            "settled_before_no_fixed_abode",
            PROBABLE,
            id="rule 5: settled within 12 months",
        ),
        pytest.param(
            [said("declared", STOCKPORT), said("declared", WIGAN, 366, NO_FIXED_ABODE)],
            "wigan",
            "no_fixed_abode",
            PROVISIONAL,
            id="rule 5: settled too long ago, where they sleep",
        ),
        pytest.param(
            [said("declared", None, 0, NO_FIXED_ABODE)], None, "no_fixed_abode", PROVISIONAL, id="rule 5: nothing else"
        ),
        pytest.param(
            [said("declared", None, 0, NO_FIXED_ABODE), said("declared", WIGAN, 9)],
            "wigan",
            "declared",
            PROBABLE,
            id="housed again",
        ),
        pytest.param([said("custody", ENFIELD)], None, "nothing_known", UNRESOLVED, id="first contact is never home"),
    ],
)
def test_home(evidence: Sequence[Evidence], area: str | None, basis: str, confidence: Confidence) -> None:
    """Home is the answer of the first rule that yields, and says which."""
    found = determine_home(evidence, AS_OF, places())
    assert (found.area, found.basis, found.confidence) == (area, basis, confidence)
    assert found.role is Role.HOME


@pytest.mark.parametrize("day", [date(2025, 7, 1), date(2026, 1, 12)], ids=["summer", "winter"])
def test_an_eviction_told_for_a_day_alone_leaves_a_settled_residence(day: date) -> None:
    """The residence ended on the day they became homeless: both are that day where the agencies are."""
    evicted = day_moment(day).at
    lived = replace(said("main", STOCKPORT, end=day), occurred=evicted)
    homeless = replace(said("declared", None, 0, NO_FIXED_ABODE), occurred=evicted)
    found = determine_home([lived, homeless], AS_OF, places())
    assert (found.area, found.basis) == ("stockport", "settled_before_no_fixed_abode")


def test_outside_the_scheme_is_an_answer() -> None:
    """A resident of Leeds: no area, the authority, and sure of it."""
    found = determine_home([said("declared", LEEDS)], AS_OF, places())
    assert (found.area, found.authority, found.out_of_scheme) == (None, LEEDS, True)


@pytest.mark.parametrize(("as_of", "area"), [(date(2012, 3, 31), "kent"), (date(2012, 4, 1), None)])
def test_canterbury_leaves_the_scheme_at_go_live(as_of: date, area: str | None) -> None:
    """Kent is whole until April 2012 and West Kent after."""
    assert determine_home([replace(said("main", "E07000106"), start=None)], as_of, places()).area == area


@pytest.mark.parametrize(
    ("evidence", "area", "basis"),
    [
        pytest.param([], None, "nothing_known", id="nothing was said"),
        pytest.param([said("declared", STOCKPORT)], None, "nothing_known", id="an address holds nobody"),
        pytest.param([said("custody", ENFIELD)], "enfield", "custody_suite", id="a suite"),
        pytest.param([said("custody", None)], None, "custody_suite", id="a suite we do not know"),
        pytest.param([said("custody", ENFIELD), said("imprisonment", LINCOLN, 1)], "lincolnshire", "prison", id="jail"),
        pytest.param([said("imprisonment", LINCOLN, 1), said("custody", ENFIELD)], "lincolnshire", "prison", id="late"),
        pytest.param([said("imprisonment", LINCOLN), said("release", None, 9)], None, "released", id="release"),
        pytest.param(
            [said("release", None, 9), said("imprisonment", LINCOLN, 9)], "lincolnshire", "prison", id="held at once"
        ),
        pytest.param([said("custody", ENFIELD), said("release", None, 9)], None, "released", id="a release ends both"),
        pytest.param([said("custody", ENFIELD), said("sighting", LINCOLN, 9)], "lincolnshire", "prison", id="sighted"),
        pytest.param(
            [said("imprisonment", LINCOLN), said("release", None, 9), said("sighting", LINCOLN, 20)],
            None,
            "released",
            id="a date changed after release holds nobody",
        ),
        pytest.param([said("imprisonment", LEEDS)], None, "prison", id="a prison outside the scheme"),
        pytest.param([hostel(LINCOLN)], "lincolnshire", "institution", id="approved premises"),
        pytest.param([hostel(LINCOLN, end=date(2025, 9, 1))], None, "nothing_known", id="approved premises, left"),
        pytest.param([hostel(LINCOLN, start=None)], None, "nothing_known", id="approved premises planned"),
        pytest.param([hostel(LINCOLN, start=date(2027, 1, 1))], None, "nothing_known", id="approved premises to come"),
        pytest.param([hostel(LINCOLN), said("imprisonment", ENFIELD, 60)], "enfield", "prison", id="prison wins"),
        pytest.param(
            [said("imprisonment", ENFIELD), said("release", None, 9), hostel(LINCOLN)],
            "lincolnshire",
            "institution",
            id="from prison to approved premises",
        ),
        pytest.param([said("custody", ENFIELD), hostel(LINCOLN)], "lincolnshire", "institution", id="put there since"),
        pytest.param([hostel(LINCOLN), said("custody", ENFIELD, 90)], "enfield", "custody_suite", id="arrested since"),
        pytest.param([said("contact", ENFIELD)], "enfield", "self_referral", id="who was asked for help"),
        pytest.param([said("custody", ENFIELD), said("contact", WIGAN, 9)], "wigan", "self_referral", id="asked since"),
        pytest.param(
            [said("imprisonment", LINCOLN), said("contact", WIGAN, 9)], "lincolnshire", "prison", id="asked in prison"
        ),
        pytest.param(
            [said("imprisonment", LINCOLN), said("release", None, 9), said("contact", WIGAN, 20)],
            "wigan",
            "self_referral",
            id="asked after release",
        ),
        pytest.param(
            [hostel(LINCOLN), said("contact", WIGAN, 90)], "lincolnshire", "institution", id="asked from there"
        ),
    ],
)
def test_holding(evidence: Sequence[Evidence], area: str | None, basis: str) -> None:
    """The newest of suite, prison and release says who holds the person."""
    found = determine_holding(evidence, AS_OF, places())
    assert (found.area, found.basis) == (area, basis)


def test_a_stay_begins_with_its_reception_and_moves_with_its_prison() -> None:
    """Since the first movement after the last release; where the newest says; until the newest dates."""
    first = said("imprisonment", LINCOLN, 1, DATED)
    moved = said("imprisonment", WIGAN, 5)
    dates = said("sighting", WIGAN, 6, DATED)
    stay = current_stay([said("imprisonment", LINCOLN, -9), said("release", None, -1), first, moved, dates])
    assert stay is not None
    assert (stay.since, stay.place, stay.dates) == (first.occurred, moved.id, dates.id)
    assert current_stay([first, said("release", None, 9)]) is None
    assert current_stay([said("custody", ENFIELD)]) is None


_AUTHORITIES = st.sampled_from([None, STOCKPORT, WIGAN, LEEDS])
_ADDRESSES = st.builds(
    lambda kind, authority, day, flags: said(kind, authority, day, *flags),
    st.sampled_from(["declared", "main", "reception", "discharge", "previous"]),
    _AUTHORITIES,
    st.integers(0, 400),
    st.sets(st.sampled_from([NO_FIXED_ABODE, INSTITUTION])),
)
_WHEREABOUTS = st.builds(
    said, st.sampled_from(["custody", "imprisonment", "release", "sighting"]), _AUTHORITIES, st.integers(0, 400)
)
_EVIDENCE = _ADDRESSES | _WHEREABOUTS


@given(st.lists(_EVIDENCE, max_size=8), st.randoms())
def test_the_order_in_which_evidence_came_changes_nothing(evidence: list[Evidence], random: object) -> None:
    """The same evidence in another order is the same determination, but for ties that came at the same instant."""
    once = [one for number, one in enumerate(evidence) if one.occurred not in {x.occurred for x in evidence[:number]}]
    shuffled = list(once)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for determine in (determine_home, determine_holding):
        assert determine(once, AS_OF, places()).same_answer(determine(shuffled, AS_OF, places()))


@given(st.lists(_EVIDENCE, max_size=8))
def test_an_institution_or_withdrawn_evidence_never_makes_a_home(evidence: list[Evidence]) -> None:
    """Home rests on no institution, and is as if what was withdrawn had never been told."""
    lies = [replace(said("main", ENFIELD, 300), withdrawn=True)]
    found = determine_home(evidence + lies, AS_OF, places())
    assert found.same_answer(determine_home(evidence, AS_OF, places()))
    assert not {one.event_id for one in evidence if INSTITUTION in one.flags} & set(found.evidence)


@given(st.lists(_EVIDENCE, max_size=8))
def test_an_area_is_one_that_some_evidence_lies_in(evidence: list[Evidence]) -> None:
    """Nothing is made up: a determined area is that of a district somebody named."""
    found = determine_home(evidence, AS_OF, places())
    assert found.authority in {one.authority for one in evidence} | {None}
    assert not (found.area is not None and found.authority is None)
    assert found.determined == (found.confidence in (CONFIRMED, PROBABLE))
