"""A death, whoever tells of it: the dead are held nowhere, and everybody who was responsible for them hears of it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operations.reconcile import reconcile
from schemas.base import Event
from tests.support.addressing import NOW, POSTCODE, Feed, deliveries, drug_test, event, person, rows, send
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services

WHO = person(1, postcode=POSTCODE["stockport"])
LATER = NOW + timedelta(days=3)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine, and the books balance when the test is over."""
    async with engine_of(postgres) as opened:
        yield opened
        async with opened.connect() as connection:
            assert (await reconcile(connection)).unaccounted == 0


async def holding(engine: AsyncEngine) -> list[tuple[str | None, str]]:
    """Who held the person, one after the other, and why."""
    found = await rows(engine, "select area, basis from placements where role = 'holding' order by number")
    return [(row["area"], row["basis"]) for row in found]


@pytest.mark.parametrize(
    ("sender", "death"),
    [
        ("prison", event("imprisonment.died", WHO, LATER, prison="LII")),
        ("gp", event("care.registration-ended", WHO, LATER, reason="died")),
    ],
    ids=["prison", "gp"],
)
async def test_the_dead_are_held_nowhere(engine: AsyncEngine, sender: str, death: Event) -> None:
    """Whoever tells of it: the LASARS of home hears it, and so does the one that held them until then."""
    await send(engine, [Feed().tell(drug_test(WHO))])
    await send(engine, [Feed(sender=sender).tell(death, at=LATER)], now=LATER)
    assert [area for area, _ in await holding(engine)] == ["enfield", None]
    told = {(one.recipient, one.role) for one in await deliveries(engine) if one.kind == death.kind}
    assert told == {("lasars-stockport", "home"), ("lasars-enfield", "holding")}


async def test_a_registration_that_ends_otherwise_lets_nobody_go(engine: AsyncEngine) -> None:
    """Whoever moves to another practice is held where they were."""
    await send(engine, [Feed().tell(drug_test(WHO))])
    moved = event("care.registration-ended", WHO, LATER, reason="moved")
    await send(engine, [Feed(sender="gp").tell(moved, at=LATER)], now=LATER)
    assert [area for area, _ in await holding(engine)] == ["enfield"]
