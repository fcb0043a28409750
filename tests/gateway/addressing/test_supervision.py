"""What becomes of what probation tells: from its records, through its adapter, to those who are told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operations.reconcile import reconcile
from tests.adapters.probation.records import DELIUS, address, case, event, facts, filled, read, requirement
from tests.support.addressing import POSTCODE, Arrived, Feed, deliveries, rows, send
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services

HOME = address(postcode=POSTCODE["stockport"])
ORDERED = event(f"{DELIUS}requirement.created", requirementId="2500412207")


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine, and the books balance when the test is over."""
    async with engine_of(postgres) as opened:
        yield opened
        async with opened.connect() as connection:
            assert (await reconcile(connection)).unaccounted == 0


class Region:
    """A probation region that sends records."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._feed = Feed(sender="probation")
        self._told: dict[str, Any] = {}

    async def sends(self, told: dict[str, Any], snapshot: dict[str, Any]) -> list[Arrived]:
        """A record arrives with its case; a fact that is told again as it was makes no event."""
        arrived = []
        for fact in facts(read(filled(told, snapshot))).values():
            if self._told.get(fact.key) == fact.event or fact.event is None:
                continue
            self._told[fact.key] = fact.event
            arrived.append(self._feed.tell(fact.event, fact=fact.key, lane=fact.lane))
        await send(self._engine, arrived)
        return arrived


async def told(engine: AsyncEngine) -> list[tuple[str, str, str]]:
    """Who was told of what, as what."""
    return [(one.recipient, one.kind.partition(".")[2], one.role) for one in await deliveries(engine)]


async def test_a_court_ordered_treatment_opens_a_case_at_home(engine: AsyncEngine) -> None:
    """The LASARS of the home area gets the order, who it is about and who supervises; no address, no register."""
    await Region(engine).sends(ORDERED, case(HOME, requirements=[requirement(length=6, lengthUnit="Months")]))
    (one,) = await deliveries(engine)
    assert (one.recipient, one.kind, one.role) == ("lasars-stockport", "supervision.requirement-started", "home")
    text = str(one.document)
    assert "drug_rehabilitation" in text
    assert "Thistlewood" in text
    assert POSTCODE["stockport"] not in text
    assert await rows(engine, "select count(*) from cases") == [{"count": 1}]
    assert await rows(engine, "select state, reason from decisions where state <> 'decided'") == [
        {"state": "no_recipient", "reason": "no_case"}
    ]


async def test_any_other_requirement_is_nobodys_business_without_a_case(engine: AsyncEngine) -> None:
    """Unpaid work opens nothing; with a case, it informs."""
    region = Region(engine)
    unpaid = requirement("W", requirementId=2500412208)
    created = event(f"{DELIUS}requirement.created", requirementId="2500412208")
    await region.sends(created, case(HOME, requirements=[unpaid]))
    assert await told(engine) == []
    await region.sends(ORDERED, case(HOME, requirements=[requirement()]))
    again = event(f"{DELIUS}requirement.created", "2025-03-05T09:00:00+00:00", requirementId="2500412209")
    await region.sends(again, case(HOME, requirements=[unpaid | {"requirementId": 2500412209}]))
    assert await told(engine) == [("lasars-stockport", "requirement-started", "home")] * 2


async def test_approved_premises_add_a_holding_and_leave_home_alone(engine: AsyncEngine) -> None:
    """A man of Stockport is put in approved premises in Lincolnshire: both are told, and home stays."""
    region = Region(engine)
    await region.sends(ORDERED, case(HOME, requirements=[requirement()]))
    moved = event(f"{DELIUS}address.updated", "2025-06-02T11:00:00+01:00")
    hostel = {
        "from": "2025-06-02",
        "postcode": POSTCODE["lincolnshire"],
        "status": {"code": "M"},
        "type": {"code": "A02"},
    }
    await region.sends(moved, case(HOME | {"to": "2025-06-01", "status": {"code": "P"}}, hostel))
    placed = await rows(
        engine, "select distinct on (role) role, area, basis from placements order by role, number desc"
    )
    assert placed == [
        {"role": "holding", "area": "lincolnshire", "basis": "institution"},
        {"role": "home", "area": "stockport", "basis": "residence_before_placement"},
    ]
    assert [one for one in await told(engine) if one[1] == "address-changed"] == [
        ("lasars-lincolnshire", "address-changed", "holding"),
        ("lasars-stockport", "address-changed", "home"),
    ]


async def test_a_breach_goes_to_the_home_of_an_open_case(engine: AsyncEngine) -> None:
    """A breach of the order reaches the LASARS that has the case; of somebody without one, nobody."""
    region = Region(engine)
    breach = event("enforcement.breach.raised", "2025-05-06T14:02:00+01:00")
    await region.sends(breach, case(HOME))
    assert await told(engine) == []
    await region.sends(ORDERED, case(HOME, requirements=[requirement()]))
    await region.sends(event("enforcement.breach.concluded", "2025-06-06T14:02:00+01:00"), case(HOME))
    assert [one[1] for one in await told(engine)] == ["requirement-started", "breached"]


@pytest.mark.parametrize("limited", [False, True])
async def test_of_a_limited_access_case_no_whereabouts_are_told(limited: bool, engine: AsyncEngine) -> None:
    """Where the person lives is told as an area, and not even so when access to the case is limited."""
    region = Region(engine)
    known = case(HOME, currentExclusion=limited, requirements=[requirement()])
    await region.sends(ORDERED, known)
    moved = address(**{"from": "2025-03-01"}, postcode=POSTCODE["stockport"])
    created = event(f"{DELIUS}address.created", "2025-03-05T09:00:00+00:00")
    await region.sends(created, known | {"contactDetails": {"addresses": [moved]}})
    (one,) = [one for one in await deliveries(engine) if one.kind == "supervision.address-changed"]
    person = one.document["data"]["person"]
    assert ("stockport" in str(person.get("addresses", ""))) is not limited
