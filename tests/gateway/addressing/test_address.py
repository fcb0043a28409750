"""Addressing as a whole, on a real PostgreSQL: from events to persons, cases, deliveries and holds."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.agreements import Agreements
from gateway.operations.reconcile import reconcile
from schemas.base import Retraction
from tests.support.addressing import (
    NOW,
    POSTCODE,
    Feed,
    decide,
    deliveries,
    drug_test,
    event,
    id_of,
    parties,
    person,
    rows,
    send,
    tools,
)
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres) as opened:
        yield opened
        async with opened.connect() as connection:
            assert (await reconcile(connection)).unaccounted == 0


STOCKPORT = person(custody="01/YE/1/26", postcode=POSTCODE["stockport"])


async def test_a_positive_test_reaches_home_and_holding(engine: AsyncEngine) -> None:
    """A resident of Stockport tested in Enfield: both LASARS are told, Stockport is responsible."""
    test = Feed().tell(drug_test(STOCKPORT))
    done = await send(engine, [test])
    assert done.states == {"decided": 1}
    assert done.recipients == {"lasars-enfield", "lasars-stockport"}
    holding, home = await deliveries(engine)
    assert (holding.recipient, holding.role) == ("lasars-enfield", "holding")
    assert (home.recipient, home.role) == ("lasars-stockport", "home")
    assert home.id == id_of(test, "lasars-stockport")
    assert home.document["case"]["responsible"] == "stockport"
    assert home.document["why"]["home"] == {"area": "stockport", "basis": "declared", "confidence": "probable"}
    assert home.document["data"]["cocaine"] == "positive"
    assert home.agreement == "police-custody-to-lasars@1"


async def test_the_same_batch_again_has_no_second_effect(engine: AsyncEngine) -> None:
    """An event addressed twice has one effect."""
    feed = Feed()
    batch = [feed.tell(drug_test(STOCKPORT)), feed.tell(drug_test(STOCKPORT, NOW + timedelta(hours=1)))]
    await send(engine, batch)
    before = await deliveries(engine)
    done = await decide(engine, batch)
    assert done.states == {"repeat": 2}
    assert not done.recipients
    assert await deliveries(engine) == before


async def test_one_lasars_that_is_home_and_holding_is_told_once(engine: AsyncEngine) -> None:
    """A resident of Enfield tested in Enfield: one delivery, as home."""
    await send(engine, [Feed().tell(drug_test(person(custody="c", postcode=POSTCODE["enfield"])))])
    (only,) = await deliveries(engine)
    assert (only.recipient, only.role) == ("lasars-enfield", "home")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        pytest.param(drug_test(STOCKPORT, cocaine="negative"), "no_case", id="a negative test opens nothing"),
        pytest.param(
            event("imprisonment.received", person(noms="A1111AA"), prison="LII", reason="admission"),
            "no_case",
            id="prison feeds describe everybody",
        ),
        pytest.param(
            drug_test(person(custody="c", postcode=POSTCODE["outside"])), "out_of_scheme", id="a resident of Leeds"
        ),
        pytest.param(
            drug_test({**STOCKPORT, "date_of_birth": NOW.date().replace(year=2008, day=4)}),
            "under_18",
            id="18 tomorrow",
        ),
    ],
)
async def test_nobody_is_owed_it(engine: AsyncEngine, told: object, reason: str) -> None:
    """What is nobody's business reaches nobody, by name of the reason."""
    await send(engine, [Feed().tell(told)])  # type: ignore[arg-type]
    assert await rows(engine, "select state, reason from decisions") == [{"state": "no_recipient", "reason": reason}]
    assert await deliveries(engine) == []
    assert await rows(engine, "select 1 from cases") == []


async def test_the_eighteenth_birthday_is_in_time(engine: AsyncEngine) -> None:
    """Whoever turns 18 on the day is an adult, by the day where the agencies are."""
    await send(engine, [Feed().tell(drug_test({**STOCKPORT, "date_of_birth": NOW.date().replace(year=2008)}))])
    assert len(await deliveries(engine)) == 2


async def test_home_unknown_holds_home_alone_and_is_decided_when_it_is_known(engine: AsyncEngine) -> None:
    """The holding LASARS is told at once; home when it is known, by a second decision, in the order it happened."""
    feed = Feed()
    first = feed.tell(drug_test(person(custody="c")))
    await send(engine, [first])
    assert [one.recipient for one in await deliveries(engine)] == ["lasars-enfield"]
    (hold,) = await rows(engine, "select reason, owner, due, released from holds")
    assert hold == {
        "reason": "no_home_area",
        "owner": "operations",
        "due": NOW + timedelta(days=1),
        "released": None,
    }
    later = NOW + timedelta(hours=5)
    second = feed.tell(drug_test(person(custody="c", postcode=POSTCODE["wigan"]), later))
    await send(engine, [second], now=later)
    told = [one for one in await deliveries(engine) if one.recipient == "lasars-wigan"]
    assert [(one.event_id, one.decision) for one in told] == [(first.envelope.id, 2), (second.envelope.id, 1)]
    assert [one.position for one in told] == [1, 2]
    assert await rows(engine, "select outcome from holds") == [{"outcome": "redecided"}]
    assert told[0].document["case"]["responsible"] == "enfield"


async def test_what_was_held_and_is_known_within_one_batch(engine: AsyncEngine) -> None:
    """Events of one person in one batch see each other."""
    feed = Feed()
    first = feed.tell(drug_test(person(custody="c")))
    second = feed.tell(drug_test(person(custody="c", postcode=POSTCODE["wigan"]), NOW + timedelta(hours=5)))
    await send(engine, [first, second])
    told = [one for one in await deliveries(engine) if one.recipient == "lasars-wigan"]
    assert [(one.event_id, one.decision) for one in told] == [(first.envelope.id, 2), (second.envelope.id, 1)]


async def test_informing_events_need_an_open_case(engine: AsyncEngine) -> None:
    """A reception reaches the LASARS of home, of the suite that is left, and of the prison, once there is a case."""
    feed = Feed()
    known = person(custody="c", noms="A1234BC", postcode=POSTCODE["wigan"])
    reception = event(
        "imprisonment.received", person(noms="A1234BC"), NOW + timedelta(days=1), prison="LII", reason="admission"
    )
    await send(engine, [feed.tell(drug_test(known)), feed.tell(reception)])
    told = {(one.recipient, one.role) for one in await deliveries(engine) if one.kind == "imprisonment.received"}
    assert told == {("lasars-wigan", "home"), ("lasars-enfield", "holding"), ("lasars-lincolnshire", "holding")}
    assert await rows(engine, "select role, area, until from participants order by number") == [
        {"role": "home", "area": "wigan", "until": None},
        {"role": "holding", "area": "enfield", "until": NOW},
        {"role": "holding", "area": "lincolnshire", "until": None},
    ]


async def test_a_case_opens_with_the_stay_that_began_before_it(engine: AsyncEngine) -> None:
    """What was kept of a reception that was nobody's business is told when a case opens: where, since when, until."""
    feed = Feed()
    who = person(noms="A1234BC", postcode=POSTCODE["wigan"], address="reception")
    reception = event(
        "imprisonment.received",
        who,
        prison="LII",
        reason="admission",
        legal_status="sentenced",
        dates={"expected": "2026-08-01", "sentence_expiry": "2027-01-01"},
    )
    await send(engine, [feed.tell(reception)])
    assert await deliveries(engine) == []
    later = NOW + timedelta(days=40)
    need = event("imprisonment.need-identified", who, later, prison="LII", reference="r", substances=["crack"])
    await send(engine, [feed.tell(need)], now=later)
    home = next(one for one in await deliveries(engine) if one.role == "home")
    assert home.document["placement"] == {
        "prison": "LII",
        "since": "2026-03-03T12:00:00Z",
        "legal_status": "sentenced",
        "expected_release": "2026-08-01",
        "agreement": "prison-to-lasars@1",
    }


async def test_a_retraction_reaches_everyone_who_was_told_and_says_nothing_else(engine: AsyncEngine) -> None:
    """A result that the laboratory overturned is taken back from home and holding: ids and reason only."""
    feed = Feed()
    test = feed.tell(drug_test(STOCKPORT), fact="test")
    back = feed.tell(Retraction(kind="custody.drug-test.recorded", reason="not_confirmed_by_laboratory"), fact="test")
    await send(engine, [test])
    await send(engine, [back])
    notices = [one for one in await deliveries(engine) if one.change == "retraction"]
    assert {one.recipient for one in notices} == {"lasars-enfield", "lasars-stockport"}
    for one in notices:
        assert one.document["data"] == {}
        assert one.document["case"] is None
        assert one.document["why"] == {}
        assert one.document["reason"] == "not_confirmed_by_laboratory"
        assert one.document["supersedes"] == str(test.envelope.id)
    assert await rows(engine, "select count(*) as live from evidence where not withdrawn") == [{"live": 0}]


async def test_what_nobody_was_sent_is_taken_back_from_nobody(engine: AsyncEngine) -> None:
    """A retraction of an event that had no recipient has none either."""
    feed = Feed()
    feed.tell(drug_test(STOCKPORT, cocaine="negative"), fact="test")
    feed.tell(Retraction(kind="custody.drug-test.recorded", reason="withdrawn"), fact="test")
    await send(engine, feed.made)
    assert [row["reason"] for row in await rows(engine, "select reason from decisions order by event_id")].count(
        "nobody_told"
    ) == 1
    assert await deliveries(engine) == []


async def test_a_correction_that_moves_home_is_taken_back_from_who_is_not_owed_it(engine: AsyncEngine) -> None:
    """The postcode was wrong: Wigan is told the correction, Stockport to forget what it got, Enfield both versions."""
    feed = Feed()
    first = feed.tell(drug_test(STOCKPORT), fact="test")
    second = feed.tell(drug_test(person(custody="01/YE/1/26", postcode=POSTCODE["wigan"])), fact="test")
    await send(engine, [first])
    await send(engine, [second])
    told = [(one.recipient, one.change, one.reason) for one in await deliveries(engine)]
    assert told == [
        ("lasars-enfield", "fact", None),
        ("lasars-enfield", "correction", None),
        ("lasars-stockport", "fact", None),
        ("lasars-stockport", "retraction", "no_longer_entitled"),
        ("lasars-wigan", "correction", None),
    ]
    back = feed.tell(Retraction(kind="custody.drug-test.recorded", reason="withdrawn"), fact="test")
    await send(engine, [back])
    last = {one.recipient for one in await deliveries(engine) if one.reason == "withdrawn"}
    assert last == {"lasars-enfield", "lasars-wigan"}


async def test_a_correction_overtakes_what_waits(engine: AsyncEngine) -> None:
    """A version that home was never sent is not sent after the one that corrects it."""
    feed = Feed()
    elsewhere = {"suite": {"force": "01", "station": "GH"}}
    first = feed.tell(drug_test(person(custody="c"), **elsewhere), fact="test")
    second = feed.tell(drug_test(person(custody="c", postcode=POSTCODE["wigan"]), **elsewhere), fact="test")
    await send(engine, [first])
    assert await rows(engine, "select state from decisions") == [{"state": "held"}]
    await send(engine, [second])
    (only,) = await deliveries(engine)
    assert (only.recipient, only.change) == ("lasars-wigan", "correction")
    states = await rows(
        engine, "select state from decisions where event_id = :id order by number", id=first.envelope.id
    )
    assert [row["state"] for row in states] == ["held", "superseded"]


async def test_several_persons_make_a_provisional_one(engine: AsyncEngine) -> None:
    """Holding is told; home waits until somebody says who it is."""
    feed = Feed()
    await send(
        engine,
        [
            feed.tell(event("imprisonment.received", person(1, noms="A1111AA"), prison="LII", reason="admission")),
            feed.tell(
                drug_test(person(2, custody="c", postcode=POSTCODE["wigan"]), cocaine="negative"), lane="lane-of-2"
            ),
        ],
    )
    both = person(3, noms="A1111AA", custody="c", postcode=POSTCODE["wigan"])
    await send(engine, [feed.tell(drug_test(both), lane="lane-of-both")])
    assert [(one.recipient, one.role) for one in await deliveries(engine)] == [("lasars-enfield", "holding")]
    assert await rows(engine, "select role, reason from holds") == [
        {"role": "home", "reason": "person_match_ambiguous"}
    ]
    assert await rows(engine, "select count(*) as persons, count(*) filter (where provisional) as p from persons") == [
        {"persons": 3, "p": 1}
    ]


async def test_without_an_agreement_nothing_goes_out(engine: AsyncEngine) -> None:
    """Deny by default: what nobody agreed on is held for operations, role by role, and sent to nobody."""
    await send(engine, [Feed().tell(drug_test(STOCKPORT))], by=tools(agreements=Agreements({})))
    assert await deliveries(engine) == []
    assert await rows(engine, "select state, reason, owner, holds from decisions") == [
        {"state": "held", "reason": "no_agreement", "owner": "operations", "holds": 2}
    ]
    assert await rows(engine, "select role, reason from holds order by role") == [
        {"role": "holding", "reason": "no_agreement"},
        {"role": "home", "reason": "no_agreement"},
    ]


async def test_a_role_that_is_agreed_to_be_told_nothing_is_told_nothing(engine: AsyncEngine) -> None:
    """Who only holds a person hears nothing of their benefits, not even that there was something; nothing waits."""
    feed = Feed()
    known = person(noms="A1234BC", postcode=POSTCODE["wigan"])
    award = event("benefits.started", known, benefit="universal_credit", effective="2026-03-02")
    registered = event("care.registration-changed", known, registration="amended")
    await send(engine, [feed.tell(drug_test(known)), feed.tell(award), feed.tell(registered)])
    told = await deliveries(engine)
    assert {(one.recipient, one.role) for one in told if one.kind != "custody.drug-test.recorded"} == {
        ("lasars-wigan", "home")
    }
    assert ("lasars-enfield", "holding") in {(one.recipient, one.role) for one in told}
    assert await rows(engine, "select role from holds") == []


async def test_an_area_without_a_lasars_is_held_alone(engine: AsyncEngine) -> None:
    """A party that is missing holds its own delivery and nobody else's."""
    await send(engine, [Feed().tell(drug_test(STOCKPORT))], by=tools(parties=parties(without=["stockport"])))
    assert [one.recipient for one in await deliveries(engine)] == ["lasars-enfield"]
    assert await rows(engine, "select role, reason from holds") == [{"role": "home", "reason": "no_lasars"}]
