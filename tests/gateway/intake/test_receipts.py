"""A sender's receipt: how far its record got, and whose business it is not."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.intake.receipts import tell
from gateway.intake.words import most_urgent
from gateway.settings import Store
from gateway.store.ledger import open_engine
from gateway.store.receipts import EventRow
from tests.support.doors import (
    EXAMPLES,
    FORCE,
    NOW,
    OTHER_FORCE,
    PARTIES,
    PRISON,
    STOCKPORT,
    Signer,
    application,
    bearer,
    knocking,
    real_journal,
)

pytestmark = pytest.mark.services

TEST = (EXAMPLES / "police_custody/examples/accepted/enfield-test-and-required-assessment.xml").read_bytes()
OVERTURNED = (EXAMPLES / "police_custody/examples/accepted/test-not-confirmed-by-laboratory.xml").read_bytes()
RECEPTION = (EXAMPLES / "prison/examples/accepted/received-with-snapshot.json").read_bytes()
UNREADABLE = (EXAMPLES / "police_custody/examples/held/form-not-known.xml").read_bytes()
REFERRAL = "custody.assessment.required"


class World:
    """The application on a real store, and a hand that does what addressing and recipients would."""

    def __init__(self, engine: AsyncEngine, client: httpx.AsyncClient) -> None:
        self.engine = engine
        self.client = client

    async def send(self, body: bytes = TEST, signer: Signer = FORCE) -> str:
        """Send a record; the address of its receipt."""
        feed, media = ("prison", "application/json") if signer is PRISON else ("police_custody", "application/xml")
        answer = await self.client.post(
            f"/v1/feeds/{feed}/records", content=body, headers=bearer(signer) | {"content-type": media}
        )
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["links"]["receipt"])

    async def read(self, receipt: str, signer: Signer = FORCE) -> dict[str, Any]:
        """A receipt as its sender reads it."""
        answer = await self.client.get(receipt, headers=bearer(signer))
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told

    async def do(self, statement: str, **told: Any) -> None:
        """Write what another piece would."""
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), told)

    async def decide(self, receipt: str, state: str = "decided", reason: str | None = None) -> None:
        """Decide every event of a record."""
        await self.do(
            "insert into decisions (record_id, event_id, number, state, reason, decided)"
            " select record_id, id, 1, :state, :reason, :now from events where record_id = :record",
            **{"state": state, "reason": reason, "now": NOW, "record": receipt[-36:]},
        )

    async def deliver(self, receipt: str, state: str = "queued", role: str = "home") -> None:
        """Leave one delivery of every event of a record in this state."""
        await self.do(
            "insert into deliveries (id, recipient, position, person_id, event_id, record_id, decision, role, kind,"
            " change, agreement, state, created)"
            " select gen_random_uuid(), 'lasars-stockport', row_number() over () + (select count(*) from deliveries),"
            " gen_random_uuid(), id, record_id, 1, :role, kind, change, 'referral@1', :state, :now"
            " from events where record_id = :record",
            **{"role": role, "state": state, "now": NOW, "record": receipt[-36:]},
        )

    async def answer(self, receipt: str, *results: str, code: str | None = None) -> None:
        """Answer every delivery of a record with these results."""
        for number, result in enumerate(results, 1):
            await self.do(
                "insert into receipts (delivery_id, number, result, code, at)"
                " select id, :number, :result, :code, :now from deliveries where record_id = :record",
                **{"number": number, "result": result, "code": code, "now": NOW, "record": receipt[-36:]},
            )


@pytest.fixture
async def world(postgres: str) -> AsyncIterator[World]:
    """An application with nothing in it."""
    engine = open_engine(Store(dsn=postgres))
    async with real_journal(engine) as journal, knocking(application(engine, journal)) as client:
        yield World(engine, client)
    await engine.dispose()


async def test_a_committed_record_is_validated_until_it_is_decided(world: World) -> None:
    """Before addressing, the sender sees what it told and that nobody has decided yet."""
    told = await world.read(await world.send())
    assert told["state"] == "validated"
    assert REFERRAL in {event["kind"] for event in told["events"]}
    assert {event["state"] for event in told["events"]} == {"validated"}


async def test_a_referral_is_followed_to_the_recipients_answer(world: World) -> None:
    """Queued, offered, acknowledged, with the role, the area and the result."""
    receipt = await world.send()
    await world.decide(receipt)
    assert (await world.read(receipt))["state"] == "routed"
    await world.deliver(receipt)
    for state in ("queued", "offered", "acknowledged"):
        await world.do("update deliveries set state = :state", state=state)
        told = await world.read(receipt)
        assert told["state"] == state
        for event in told["events"]:
            (delivery,) = event["deliveries"]
            assert (delivery["role"], delivery["area"], delivery["state"]) == ("home", "stockport", state)
    await world.answer(receipt, "accepted")
    for event in (await world.read(receipt))["events"]:
        assert [result["result"] for result in event["deliveries"][0]["results"]] == ["accepted"]


async def test_what_most_needs_somebody_is_the_receipts_state(world: World) -> None:
    """One delivery parked beside one acknowledged is parked; a hold beside it is told with its owner and its due."""
    receipt = await world.send()
    await world.decide(receipt)
    await world.deliver(receipt, "acknowledged", "home")
    await world.deliver(receipt, "parked", "holding")
    assert (await world.read(receipt))["state"] == "parked"
    await world.do("update deliveries set state = 'acknowledged'")
    await world.do(
        "insert into holds (event_id, decision, role, reason, owner, since, due)"
        " select id, 1, 'home', 'home_area_ambiguous', 'operations', :now, :due from events",
        now=NOW,
        due=NOW + timedelta(days=1),
    )
    told = await world.read(receipt)
    assert told["state"] == "held"
    for event in told["events"]:
        (hold,) = event["held"]
        assert (hold["reason"], hold["owner"]) == ("home_area_ambiguous", "operations")


async def test_police_learn_attended_or_missed_and_nothing_more(world: World) -> None:
    """What else happens in an assessment is between the person and the LASARS."""
    receipt = await world.send()
    await world.decide(receipt)
    await world.deliver(receipt, "acknowledged")
    await world.answer(receipt, "accepted", "assessment_started", "assessment_missed", "closed")
    for event in (await world.read(receipt))["events"]:
        results = [result["result"] for result in event["deliveries"][0]["results"]]
        assert results == ["accepted", "assessment_missed"]


async def test_a_suggested_area_is_not_for_the_sender(world: World) -> None:
    """Where a person may live is for operations; the sender learns that it was not theirs, or why it was rejected."""
    receipt = await world.send()
    await world.decide(receipt)
    await world.deliver(receipt, "rejected")
    await world.answer(receipt, "not_our_area", code="west-kent")
    assert "west-kent" not in str(await world.read(receipt))
    await world.do("update receipts set result = 'rejected', code = 'incomplete'")
    told = await world.read(receipt)
    assert told["state"] == "rejected"
    assert told["events"][0]["deliveries"][0]["results"][0]["code"] == "incomplete"


@pytest.mark.parametrize(
    ("decision", "reason", "delivered", "results"),
    [
        ("no_recipient", "no_case", None, ()),
        ("no_recipient", "out_of_scheme", None, ()),
        ("decided", None, "acknowledged", ("accepted",)),
        ("decided", None, "parked", ()),
        ("held", "no_agreement", None, ()),
    ],
)
async def test_whether_a_case_exists_is_nobodys_business(
    world: World, decision: str, reason: str | None, delivered: str | None, results: tuple[str, ...]
) -> None:
    """A record that only informs answers the same whether anybody got it, nobody did, or it waits."""
    receipt = await world.send(RECEPTION, PRISON)
    await world.decide(receipt, decision, reason)
    if delivered:
        await world.deliver(receipt, delivered)
        await world.answer(receipt, *results)
    told = await world.read(receipt, PRISON)
    assert told["state"] == "routed"
    for event in told["events"]:
        assert (event["state"], event["reason"], event["owner"], event["due"]) == ("routed", None, None, None)
        assert (event["deliveries"], event["held"]) == ([], [])


async def test_a_referral_that_reaches_nobody_says_so(world: World) -> None:
    """Who referred must know that it reached nobody, and why."""
    receipt = await world.send()
    await world.decide(receipt, "no_recipient", "out_of_scheme")
    told = await world.read(receipt)
    assert told["state"] == "no_recipient"
    assert {event["reason"] for event in told["events"]} == {"out_of_scheme"}


async def test_a_retraction_is_followed_like_what_it_takes_back(world: World) -> None:
    """The body of a retraction says nothing of cases, so the event it takes back does."""
    first = await world.send()
    await world.do(
        # The test's event takes back the first record's, as the journal chains a withdrawal to its fact.
        "insert into events (id, record_id, sender, agency, kind, change, supersedes, fact, lane, shard, occurred,"
        " recorded) select gen_random_uuid(), :record, sender, agency, kind, 'retraction', id, fact, lane, shard,"
        " occurred, recorded from events where kind = :kind",
        record=uuid.UUID((second := await world.send(UNREADABLE))[-36:]),
        kind=REFERRAL,
    )
    await world.do("update records set state = 'translated', reason = null, owner = null, due = null")
    await world.decide(second)
    await world.deliver(second, "acknowledged")
    told = await world.read(second)
    assert [(event["change"], event["state"]) for event in told["events"]] == [("retraction", "acknowledged")]
    await world.do("delete from data_keys where record_id = :record", record=uuid.UUID(first[-36:]))
    assert (await world.read(second))["state"] == "routed"


async def test_a_record_that_tells_nothing_new_says_how_much_we_knew(world: World) -> None:
    """The same facts under another message id are a record with repeats and no event."""
    await world.send()
    told = await world.read(await world.send(TEST + b"\n"))
    assert (told["state"], told["events"]) == ("validated", [])
    assert told["repeats"] > 0


async def test_a_held_record_says_whose_it_is(world: World) -> None:
    """Reason, owner, due and what was found."""
    told = await world.read(await world.send(UNREADABLE))
    assert (told["state"], told["owner"]) == ("held", "operations")
    assert told["reason"]
    assert told["due"]
    assert told["findings"][0]["text"]


async def test_a_receipt_is_its_senders_own(world: World) -> None:
    """Another force, a recipient, an id of nobody and no id at all get the same answer, byte for byte."""
    receipt = await world.send()
    answers = [
        await world.client.get(receipt, headers=bearer(OTHER_FORCE)),
        await world.client.get(receipt, headers=bearer(STOCKPORT)),
        await world.client.get(f"/v1/receipts/{uuid.uuid4()}", headers=bearer()),
        await world.client.get("/v1/receipts/none", headers=bearer()),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await world.client.get(receipt)).status_code == 401


DELIVERY = {"role": "home", "recipient": "lasars-stockport", "queued": NOW.isoformat(), "due": None}
STATES = ("queued", "offered", "acknowledged", "rejected", "parked", "superseded", "retracted", "discarded")
UNDECIDED = EventRow(
    id=uuid.UUID(int=1),
    kind="imprisonment.received",
    change="fact",
    supersedes=None,
    occurred=NOW,
    due=None,
    decision=None,
    reason=None,
    owner=None,
    decision_due=None,
    decided=None,
    teller=None,
    teller_record=None,
    wrapped=None,
    sealed=None,
    deliveries=None,
    holds=None,
)


@given(
    decision=st.sampled_from(["decided", "no_recipient", "held", "discarded"]),
    reason=st.sampled_from([None, "no_case", "out_of_scheme", "no_agreement"]),
    states=st.lists(st.sampled_from(STATES), max_size=3),
    holds=st.integers(0, 2),
)
def test_an_event_that_opens_no_case_tells_one_thing(
    decision: str, reason: str | None, states: list[str], holds: int
) -> None:
    """Whatever was decided and became of it, the sender reads the same."""
    event = replace(
        UNDECIDED,
        decision=decision,
        reason=reason,
        owner="operations",
        decision_due=NOW,
        decided=NOW,
        deliveries=[DELIVERY | {"state": state} for state in states],
        holds=[{"role": "home", "reason": "no_agreement", "owner": "operations"}] * holds,
    )
    undecided = tell(UNDECIDED, False, PARTIES)
    assert undecided.state == "validated"
    assert tell(event, False, PARTIES) == undecided.model_copy(update={"state": "routed"})


@given(st.lists(st.sampled_from([*STATES, "held", "routed", "validated", "no_recipient"]), min_size=1))
def test_the_most_urgent_state_is_one_of_them(states: list[str]) -> None:
    """And nothing that waits for somebody is hidden behind what is done."""
    urgent = most_urgent(states)
    assert urgent in states
    assert not (urgent == "acknowledged" and {"held", "parked", "rejected", "queued"} & set(states))
