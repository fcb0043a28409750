"""What was held goes out when what held it is mended, once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.address import Addressed, Arrived, Tools
from gateway.addressing.redrive import redrive
from gateway.operations.reconcile import reconcile
from gateway.store.session import transaction
from schemas.places import Located
from tests.support.addressing import (
    NOW,
    POSTCODE,
    Feed,
    deliveries,
    drug_test,
    parties,
    person,
    places,
    rows,
    send,
    tools,
)
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services
LATER = NOW + timedelta(days=2)
UNKNOWN = "ZE1 0AA"


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres) as opened:
        yield opened
        async with opened.connect() as connection:
            assert (await reconcile(connection)).unaccounted == 0


async def _again(engine: AsyncEngine, one: Arrived, by: Tools | None = None) -> Addressed:
    async with transaction(engine) as session:
        return await redrive(session, [one.envelope.id], LATER, by or tools())


async def test_a_party_that_was_missing(engine: AsyncEngine) -> None:
    """Held while Stockport had no LASARS; told when it has one, and nobody else a second time."""
    test = Feed().tell(drug_test(person(custody="c", postcode=POSTCODE["stockport"])))
    missing = tools(parties=parties(without=["stockport"]))
    await send(engine, [test], by=missing)
    assert not (await _again(engine, test, missing)).deliveries
    done = await _again(engine, test)
    assert (done.deliveries, done.recipients) == (1, {"lasars-stockport"})
    assert not (await _again(engine, test)).deliveries
    told = {one.recipient: one.decision for one in await deliveries(engine)}
    assert told == {"lasars-enfield": 1, "lasars-stockport": 2}
    assert await rows(engine, "select outcome from holds") == [{"outcome": "redecided"}]


async def test_a_postcode_that_lay_nowhere(engine: AsyncEngine) -> None:
    """A postcode is not kept with the evidence; it is read again from the record when places are loaded."""
    test = Feed().tell(drug_test(person(custody="c", postcode=UNKNOWN)))
    await send(engine, [test])
    assert await rows(engine, "select reason from holds") == [{"reason": "no_home_area"}]
    known = replace(places(), postcodes={**places().postcodes, UNKNOWN: (Located("E08000010", None),)})
    done = await _again(engine, test, tools(places=known))
    assert done.recipients == {"lasars-wigan"}
    assert await rows(engine, "select authority from evidence where kind = 'declared'") == [{"authority": "E08000010"}]


async def test_home_turns_out_to_be_outside(engine: AsyncEngine) -> None:
    """What waited for a home that lies outside the scheme ends; nothing goes out."""
    test = Feed().tell(drug_test(person(custody="c", postcode=UNKNOWN)))
    await send(engine, [test])
    known = replace(places(), postcodes={**places().postcodes, UNKNOWN: (Located("S12000027", None),)})
    assert not (await _again(engine, test, tools(places=known))).deliveries
    assert await rows(engine, "select number, state, deliveries from decisions order by number") == [
        {"number": 1, "state": "decided", "deliveries": 1},
        {"number": 2, "state": "decided", "deliveries": 0},
    ]
    assert await rows(engine, "select outcome from holds") == [{"outcome": "redecided"}]


async def test_a_match_is_not_decided_by_asking_again(engine: AsyncEngine) -> None:
    """A provisional person's home goes on waiting for somebody to say who it is."""
    feed = Feed()
    await send(engine, [feed.tell(drug_test(person(1, custody="a"), cocaine="negative"), lane="1")])
    await send(engine, [feed.tell(drug_test(person(2, noms="A1111AA"), cocaine="negative"), lane="2")])
    both = feed.tell(drug_test(person(3, custody="a", noms="A1111AA", postcode=POSTCODE["wigan"])), lane="3")
    await send(engine, [both])
    assert not (await _again(engine, both)).deliveries
    assert await rows(engine, "select reason, released from holds") == [
        {"reason": "person_match_ambiguous", "released": None}
    ]
