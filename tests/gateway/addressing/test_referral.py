"""A GP referral, from the practice's own bundle to what its LASARS is told."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Message
from adapters.gp import build
from schemas.base import Event, Retraction
from tests.support.addressing import NOW, Feed, deliveries, rows, send
from tests.support.deliveries import engine_of
from tests.support.doors import EXAMPLES

pytestmark = pytest.mark.services

GP = build({"lasars_services": "2000081234"})


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres) as opened:
        yield opened


def told(name: str) -> Event | Retraction:
    """What an example of the contract tells."""
    path = EXAMPLES / "gp/examples/accepted" / name
    media = "application/fhir+xml" if path.suffix == ".xml" else "application/fhir+json"
    outcome = GP.read(Message(path.read_bytes(), media, NOW))
    assert isinstance(outcome, Accepted)
    (fact,) = outcome.facts
    return fact.event or Retraction(kind=fact.kind, reason=str(fact.withdrawn))


async def test_a_referral_opens_a_case_at_home(engine: AsyncEngine) -> None:
    """The LASARS of the area the patient lives in is told who, why and by whom, and no address."""
    await send(engine, [Feed().tell(told("referral.json"))])
    (only,) = await deliveries(engine)
    assert (only.recipient, only.role, only.agreement) == ("lasars-stockport", "home", "gp-to-lasars@1")
    data = only.document["data"]
    assert data["reasons"] == ["snomed:75544000"]
    assert data["practice"] == {"ods": "P88026", "name": "Heaton Moor Surgery"}
    assert data["person"]["identifiers"] == [{"scheme": "nhs", "value": "9990548609"}]
    assert "addresses" not in data["person"]
    assert "SK3 0XU" not in str(only.document)
    assert len(await rows(engine, "select 1 from cases where closed is null")) == 1


async def test_a_cancellation_goes_to_whoever_was_told(engine: AsyncEngine) -> None:
    """Its reason and nothing else."""
    feed = Feed()
    await send(engine, [feed.tell(told("referral.json"), fact="one")])
    await send(engine, [feed.tell(told("referral-cancelled.xml"), fact="one")])
    change = [one for one in await deliveries(engine) if one.document["change"] == "retraction"]
    assert [one.recipient for one in change] == ["lasars-stockport"]
    assert "Ellerby" not in str(change[0].document)


async def test_a_protected_patient_is_told_without_an_area(engine: AsyncEngine) -> None:
    """Home is still found, and the case is theirs; where that is in their area nobody is told."""
    await send(engine, [Feed().tell(told("referral-of-a-protected-patient.xml"))])
    (only,) = await deliveries(engine)
    assert (only.recipient, only.role) == ("lasars-oxfordshire", "home")
    assert "addresses" not in only.document["data"]["person"]
