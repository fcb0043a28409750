"""Who a record speaks of: equal keys link, and nothing else does."""

import uuid
from datetime import date

import pytest

from gateway.identity.identify import Asked, identify
from gateway.identity.keys import Key, Rule, keys_of
from gateway.identity.match import Ambiguous, Claim, Known, Linked, New, by_identifiers
from schemas.base import Event, Name, Person
from schemas.identifiers import Identifier, Scheme
from schemas.imprisonment import Merged
from tests.support.addressing import INDEX, NOW, SECRETS, drug_test, event, person

A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))
LANE = b"lane"


def _claims(scheme: str, value: str | None, *, born: date | None = None, surname: str | None = None) -> Event:
    who = Person(
        identifiers=(Identifier(scheme=Scheme(scheme), raw=value or "raw", value=value),),
        name=Name(surname=surname) if surname else None,
        date_of_birth=born,
    )
    return drug_test(person()).model_copy(update={"person": who})


BORN = date(1980, 5, 17)


@pytest.mark.parametrize(
    ("told", "rules"),
    [
        pytest.param(_claims("nhs", "9434765919"), set(), id="an NHS number alone links nobody"),
        pytest.param(_claims("nhs", "9434765919", born=BORN), {Rule.NHS_BIRTH}, id="with the birth date it does"),
        pytest.param(_claims("nino", "AB123456", surname="Grey"), set(), id="couples share a NINO and a surname"),
        pytest.param(_claims("nino", "AB123456", born=BORN), {Rule.NINO_BIRTH}, id="NINO and birth date"),
        pytest.param(_claims("pnc", "2004/0137251W"), set(), id="a PNC number alone may be typed on another"),
        pytest.param(
            _claims("pnc", "2004/0137251W", born=BORN, surname="Grey"),
            {Rule.PNC_BIRTH, Rule.PNC_SURNAME},
            id="PNC with either",
        ),
        pytest.param(_claims("noms", "A1234BC"), {Rule.NOMS}, id="a prison number stands alone"),
        pytest.param(_claims("crn", "X123456"), {Rule.CRN}, id="a probation number stands alone"),
        pytest.param(_claims("custody", "06/SP/1"), {Rule.CUSTODY}, id="a custody number of a force stands alone"),
        pytest.param(_claims("asn", "x", born=BORN, surname="Grey"), set(), id="an arrest is not a person"),
        pytest.param(_claims("noms", None, born=BORN), set(), id="an identifier that failed its check makes no key"),
        pytest.param(_claims("nhs", "9434765919", born=date(1970, 1, 1)), set(), id="a placeholder is no birth date"),
        pytest.param(_claims("pnc", "2004/0137251W", surname="DUPLICATE_Grey"), set(), id="a mark makes no surname"),
        pytest.param(_claims("pnc", "2004/0137251W", surname="Not Entered"), set(), id="nor does its absence"),
    ],
)
def test_what_identifies(told: Event, rules: set[Rule]) -> None:
    """Each identifier links by its own rule, and none by less than its rule asks for."""
    assert {key.rule for key in keys_of(told, INDEX)} == rules


def test_a_former_number_finds_whoever_had_it() -> None:
    """A probation number that was merged away is the same key as when it was somebody's own."""
    assert keys_of(_claims("former_crn", "X123456"), INDEX) == keys_of(_claims("crn", "X123456"), INDEX)


@pytest.mark.parametrize("written", ["O'Neill-Grey", "ONEILL GREY", "o’neill grey", "Onéill-Grey"])
def test_a_surname_is_one_however_it_is_written(written: str) -> None:
    """Case, accents, spaces and marks make no other surname."""
    plain = keys_of(_claims("pnc", "2004/0137251W", surname="Oneill Grey"), INDEX)
    assert keys_of(_claims("pnc", "2004/0137251W", surname=written), INDEX) == plain


def test_no_key_holds_a_value() -> None:
    """A key is a keyed hash; under another pepper it is another."""
    (key,) = keys_of(_claims("noms", "A1234BC"), INDEX)
    assert len(key.value) == 16
    assert b"A1234BC" not in key.value


def _known(*entries: tuple[Rule, bytes, uuid.UUID], provisional: frozenset[uuid.UUID] = frozenset()) -> Known:
    known = Known(provisional=set(provisional))
    for rule, value, person_id in entries:
        known.learn(Key(rule, value), person_id)
    return known


NOMS, PNC = Key(Rule.NOMS, b"noms"), Key(Rule.PNC_BIRTH, b"pnc")


@pytest.mark.parametrize(
    ("claim", "known", "verdict"),
    [
        pytest.param(Claim((NOMS,), LANE), _known(), New(), id="nobody knows the keys"),
        pytest.param(Claim((NOMS,), LANE), _known((Rule.NOMS, b"noms", A)), Linked(A, Rule.NOMS), id="one does"),
        pytest.param(
            Claim((PNC, NOMS), LANE),
            _known((Rule.NOMS, b"noms", A), (Rule.PNC_BIRTH, b"pnc", A)),
            Linked(A, Rule.PNC_BIRTH),
            id="two keys of one person",
        ),
        pytest.param(
            Claim((PNC, NOMS), LANE),
            _known((Rule.NOMS, b"noms", A), (Rule.PNC_BIRTH, b"pnc", B)),
            Ambiguous(frozenset({A, B})),
            id="two persons",
        ),
        pytest.param(
            Claim((PNC, NOMS), LANE),
            _known(
                (Rule.NOMS, b"noms", A),
                (Rule.PNC_BIRTH, b"pnc", B),
                (Rule.LANE, LANE, C),
                provisional=frozenset({C}),
            ),
            Ambiguous(frozenset({A, B}), C),
            id="two persons, and the lane has somebody who stands in already",
        ),
        pytest.param(
            Claim((PNC, NOMS), LANE, predecessor=C),
            _known((Rule.NOMS, b"noms", A), (Rule.PNC_BIRTH, b"pnc", B)),
            Linked(C, Rule.SAME_FACT),
            id="the same fact is about the same person, whatever it says now",
        ),
        pytest.param(Claim((), LANE), _known((Rule.LANE, LANE, A)), Linked(A, Rule.LANE), id="only a lane"),
        pytest.param(
            Claim((NOMS,), LANE),
            _known((Rule.LANE, LANE, A), (Rule.PNC_BIRTH, b"other", A)),
            Linked(A, Rule.LANE),
            id="a lane, and nothing that speaks against it",
        ),
        pytest.param(
            Claim((PNC,), LANE),
            _known((Rule.LANE, LANE, A), (Rule.PNC_BIRTH, b"other", A)),
            New(),
            id="a PNC number typed into a stranger's record",
        ),
        pytest.param(
            Claim((), LANE), _known((Rule.LANE, LANE, A), (Rule.LANE, LANE, B)), Ambiguous(frozenset({A, B})), id="two"
        ),
        pytest.param(
            Claim((), LANE),
            _known((Rule.LANE, LANE, A), provisional=frozenset({A})),
            Linked(A, Rule.LANE),
            id="who stands in goes on doing so",
        ),
    ],
)
def test_verdicts(claim: Claim, known: Known, verdict: object) -> None:
    """None is a new person, one is that person, several is for somebody to decide."""
    assert by_identifiers(claim, known) == verdict


def _asked(number: int, told: Event, lane: bytes, **more: object) -> Asked:
    return Asked(uuid.UUID(int=number), keys_of(told, INDEX), lane, None, **more)  # type: ignore[arg-type]


def _prison(kind: str, noms: str, **more: object) -> Event:
    return event(kind, {"identifiers": [{"scheme": "noms", "raw": noms, "value": noms}]}, NOW, **more)


def test_a_merge_of_one_known_number_teaches_the_other() -> None:
    """A later event for the removed number finds the survivor, where only one of the two was anybody."""
    removed = Identifier(scheme=Scheme.NOMS, raw="B2222BB", value="B2222BB")
    merge = _prison("imprisonment.merged", "A1111AA", removed=removed)
    assert isinstance(merge, Merged)
    found = identify(
        [
            _asked(1, _prison("imprisonment.died", "A1111AA"), b"one"),
            _asked(2, merge, b"one", mints=False),
            _asked(3, _prison("imprisonment.died", "B2222BB"), b"two"),
        ],
        Known(),
        {},
        by_identifiers,
        SECRETS.namespace,
    )
    assert len({one.person for one in found.of.values()}) == 1


def test_a_merge_of_two_persons_joins_nobody() -> None:
    """Two persons who exist stay two, and their later events stay theirs, until somebody decides."""
    removed = Identifier(scheme=Scheme.NOMS, raw="B2222BB", value="B2222BB")
    found = identify(
        [
            _asked(1, _prison("imprisonment.died", "A1111AA"), b"one"),
            _asked(2, _prison("imprisonment.died", "B2222BB"), b"two"),
            _asked(3, _prison("imprisonment.merged", "A1111AA", removed=removed), b"one", mints=False),
            _asked(4, _prison("imprisonment.at-large", "A1111AA"), b"one"),
        ],
        Known(),
        {},
        by_identifiers,
        SECRETS.namespace,
    )
    first, second, merged, later = found.of.values()
    assert merged.person is None
    assert merged.candidates == {first.person, second.person}
    assert later.person == first.person
    assert len(found.persons) == 2
