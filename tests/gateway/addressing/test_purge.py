"""What was nobody's business is forgotten after 30 days, and nothing else is."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.purge import KEPT, purge
from tests.support.addressing import NOW, POSTCODE, Feed, deliveries, drug_test, event, person, rows, send
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres) as opened:
        yield opened


async def _purge(engine: AsyncEngine, *, after: timedelta) -> int:
    async with engine.begin() as connection:
        return await purge(connection, NOW + after)


RECEPTION = event(
    "imprisonment.received",
    person(noms="A1111AA", postcode=POSTCODE["wigan"], address="reception"),
    prison="LII",
    reason="admission",
    dates={"expected": "2026-09-01"},
)


async def test_content_goes_after_thirty_days_and_the_decision_stays(engine: AsyncEngine) -> None:
    """Key and bodies of a record that nobody was owed are destroyed, once."""
    nobody = Feed().tell(RECEPTION)
    await send(engine, [nobody])
    assert await _purge(engine, after=KEPT - timedelta(seconds=1)) == 0
    assert await _purge(engine, after=KEPT) == 1
    assert await _purge(engine, after=KEPT) == 0
    record = nobody.envelope.record_id
    assert await rows(engine, "select 1 from data_keys where record_id = :id", id=record) == []
    assert await rows(engine, "select 1 from bodies where record_id = :id", id=record) == []
    assert await rows(engine, "select state, reason from decisions") == [{"state": "no_recipient", "reason": "no_case"}]


async def test_what_a_later_case_needs_stays(engine: AsyncEngine) -> None:
    """A stay that was told to nobody can still be told when a case opens, long after the record is forgotten."""
    feed = Feed()
    await send(engine, [feed.tell(RECEPTION)])
    await _purge(engine, after=KEPT)
    later = NOW + timedelta(days=60)
    test = drug_test(person(noms="A1111AA"), NOW - timedelta(days=1))
    await send(engine, [feed.tell(test)], now=later)
    home = next(one for one in await deliveries(engine) if one.role == "home")
    assert home.recipient == "lasars-wigan"
    assert home.document["placement"]["expected_release"] == "2026-09-01"


async def test_what_was_delivered_or_waits_is_not_purged(engine: AsyncEngine) -> None:
    """Only what ended without a recipient goes."""
    feed = Feed()
    delivered = feed.tell(drug_test(person(1, custody="a", postcode=POSTCODE["wigan"])), lane="1")
    held = feed.tell(drug_test(person(2, custody="b"), suite={"force": "01", "station": "GH"}), lane="2")
    await send(engine, [delivered, held])
    assert await _purge(engine, after=timedelta(days=400)) == 0
    assert (
        len(
            await rows(
                engine,
                "select 1 from data_keys where record_id = any(:ids)",
                ids=[delivered.envelope.record_id, held.envelope.record_id],
            )
        )
        == 2
    )
