"""Pointers are filled from their source and told once, on a real PostgreSQL and against a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import stamina
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Adapter, Held, Ignored, Message
from adapters.prison import build as build_prison
from adapters.probation import build
from gateway.failpoints import Crashed
from gateway.intake.entry import Entry, Taken, filling_id
from gateway.intake.filling import Filler, Watched, wait_after
from gateway.operations.queue import stopped
from gateway.operations.reconcile import reconcile
from gateway.operations.redrive import Redrive, Result
from gateway.operations.status import read_status
from gateway.operations.trace import read_journey
from gateway.settings import Filling
from gateway.store.data_keys import open_body
from gateway.store.fillings import next_due
from gateway.telemetry import traceparent
from tests.adapters.probation.records import case, conviction, event, requirement
from tests.support.addressing import tools
from tests.support.case_api import CaseApi, case_api
from tests.support.deliveries import engine_of
from tests.support.facts import INDEX, NOW, SEALER, journal

pytestmark = pytest.mark.services

PATIENT = Filling(waits=(timedelta(minutes=1), timedelta(minutes=10)), lease=timedelta(minutes=5))
SECOND = timedelta(seconds=1)
MAREN, COLLEAGUE = "X482713", "X519340"


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine, and the books balance when the test is over."""
    async with engine_of(postgres, pool=12) as opened:
        yield opened
        async with opened.connect() as connection:
            assert (await reconcile(connection)).unaccounted == 0


@pytest.fixture
async def api() -> AsyncIterator[CaseApi]:
    """A case API that knows two people."""
    async with case_api() as running:
        for crn in (MAREN, COLLEAGUE):
            running.answers[f"/offenders/crn/{crn}/all"] = case(otherIds={"crn": crn})
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """What the fillers ask with."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as opened:
        yield opened


@pytest.fixture(autouse=True)
def hasty() -> Any:
    """An adapter's own retries without the waits between them; here they are one try."""
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def clock() -> Now:
    """The time."""
    return Now()


@pytest.fixture
def adapter(api: CaseApi, tmp_path: Path) -> Adapter:
    """The probation feed of an installation that asks."""
    return build(api.options(tmp_path))


@pytest.fixture
def filler(engine: AsyncEngine, adapter: Adapter, client: httpx.AsyncClient, clock: Now) -> Filler:
    """One that fills by hand."""
    return Filler(engine, {"probation": adapter}, journal(engine), SEALER, PATIENT, clock, client)


def breach(crn: str = MAREN, at: str = "2026-03-01T09:00:00+00:00") -> dict[str, Any]:
    """A pointer."""
    return event("enforcement.breach.raised", at, crn)


def entry(adapter: Adapter, record: dict[str, Any]) -> Entry:
    """A record as the door hands it to the journal."""
    body = json.dumps(record).encode()
    outcome = adapter.read(Message(body, "application/json", NOW))
    assert isinstance(outcome, Accepted | Held | Ignored)
    return Entry(
        sender="a-region",
        agency=adapter.name,
        transport=INDEX.of("transport", body),
        body_hash=INDEX.of("body", body),
        body=body,
        media_type="application/json",
        received=NOW,
        outcome=outcome,
        trace=traceparent(None),
    )


async def take(engine: AsyncEngine, adapter: Adapter, *records: dict[str, Any]) -> list[UUID]:
    """Commit these; their receipts."""
    came = (replace(entry(adapter, record), received=NOW + n * SECOND) for n, record in enumerate(records))
    taken = await journal(engine).commit(list(came))
    assert all(isinstance(one, Taken) and one.state == "waiting" for one in taken)
    return [one.record_id for one in taken]


async def rows(engine: AsyncEngine, statement: str) -> Sequence[tuple[Any, ...]]:
    """What a statement gives."""
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def test_a_pointer_is_committed_then_filled_and_told_once(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi
) -> None:
    """It waits from its 202 on; its source is asked once; what it answered is kept sealed with the record."""
    (record,) = await take(engine, adapter, breach())
    assert await rows(engine, "select state, reason, events from records") == [("waiting", "pointer_not_filled", 0)]
    assert await filler.fill() == 1
    assert await filler.fill() == 0
    assert await rows(engine, "select state, reason, owner, due, events from records") == [
        ("translated", None, None, None, 2)
    ]
    assert await rows(engine, "select kind from events order by seq") == [
        ("supervision.address-changed",),
        ("supervision.breached",),
    ]
    assert await rows(engine, "select count(*) from outbox") == [(2,)]
    assert len(api.asked) == 1
    async with engine.connect() as connection:
        opened = await open_body(connection, SEALER, record, filling_id(record))
    assert opened is not None
    assert json.loads(opened[0])["snapshot"]["surname"] == "Thistlewood"
    assert await rows(engine, "select count(*) from bodies where position('Thistlewood' in sealed) > 0") == [(0,)]


async def test_killed_between_the_answer_and_the_commit(
    engine: AsyncEngine, adapter: Adapter, api: CaseApi, client: httpx.AsyncClient, clock: Now
) -> None:
    """Nothing is lost and there is one effect: while the lease runs nobody asks, then another process does."""

    class Dying:
        async def redrive(self, *_: Any, **__: Any) -> bool:
            raise Crashed

    await take(engine, adapter, breach())
    feeds = {"probation": adapter}
    with pytest.raises(BaseExceptionGroup):
        await Filler(engine, feeds, Dying(), SEALER, PATIENT, clock, client).fill()
    assert await rows(engine, "select state from records") == [("waiting",)]
    other = Filler(engine, feeds, journal(engine), SEALER, PATIENT, clock, client)
    assert await other.fill() == 0
    clock.at += PATIENT.lease
    assert await other.fill() == 1
    assert await rows(engine, "select state, events from records") == [("translated", 2)]
    assert await rows(engine, "select tries, outcome from fillings") == [(2, "filled")]
    assert len(api.asked) == 2


async def test_killed_after_the_commit(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """What is told is told: nobody asks again, whatever the worker did not get to write down."""
    await take(engine, adapter, breach())
    await filler.fill()
    async with engine.begin() as connection:
        await connection.execute(text("update fillings set outcome = null"))
    clock.at += timedelta(days=1)
    assert await filler.fill() == 0
    assert len(api.asked) == 1


async def test_several_fillers_share_the_work(
    engine: AsyncEngine, adapter: Adapter, api: CaseApi, client: httpx.AsyncClient, clock: Now
) -> None:
    """Four processes and thirty people: everybody is asked for once and told once."""
    crns = [f"X{number:06}" for number in range(30)]
    for crn in crns:
        api.answers[f"/offenders/crn/{crn}/all"] = case(otherIds={"crn": crn})
    await take(engine, adapter, *(breach(crn) for crn in crns))
    feeds = {"probation": adapter}
    fillers = [Filler(engine, feeds, journal(engine), SEALER, PATIENT, clock, client) for _ in range(4)]

    async def work(filler: Filler) -> None:
        while await filler.fill():
            pass

    await asyncio.gather(*map(work, fillers))
    await work(fillers[0])
    assert sorted(api.asked) == sorted(f"/offenders/crn/{crn}/all" for crn in crns)
    assert await rows(engine, "select state, count(*), sum(events) from records group by state") == [
        ("translated", 30, 60)
    ]


async def test_waits_grow_and_then_operations_decide(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """A source that is away is asked again later and later; after the last wait the record is somebody's to look at."""
    (record,) = await take(engine, adapter, breach())
    api.statuses.extend([503] * 3)
    for wait in PATIENT.waits:
        assert await filler.fill() == 1
        assert await filler.fill() == 0
        assert await rows(engine, "select state, reason, due from records") == [
            ("waiting", "source_unavailable", clock.at + wait)
        ]
        clock.at += wait
    async with engine.connect() as connection:
        (waiting,) = await stopped(connection)
    assert (waiting.id, waiting.state, waiting.reason) == (record, "waiting", "source_unavailable")
    assert waiting.place.endswith("probation, asked for 2 times")
    assert waiting.again == clock.at
    assert await filler.fill() == 1
    assert await rows(engine, "select state, reason, owner from records") == [
        ("held", "source_unavailable", "operations")
    ]
    clock.at += timedelta(days=30)
    assert await filler.fill() == 0
    async with engine.connect() as connection:
        journey = await read_journey(connection, record)
    assert journey is not None
    assert [step.told for step in journey.steps if step.word == "asked"] == [
        "probation's source 3 times: source_unavailable"
    ]


async def test_operations_may_have_it_asked_again(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """No such case is an answer, at the first try; redriven, the source is asked from the start."""
    known = api.answers.pop(f"/offenders/crn/{MAREN}/all")
    (record,) = await take(engine, adapter, breach())
    assert await filler.fill() == 1
    assert await rows(engine, "select state, reason, owner from records") == [("held", "source_has_none", "operations")]
    redrive = Redrive(engine, {"probation": adapter}, journal(engine), SEALER, tools())
    api.answers[f"/offenders/crn/{MAREN}/all"] = known
    assert await redrive.run([record], clock()) == {record: Result.ASKED_AGAIN}
    async with engine.connect() as connection:
        (waiting,) = await stopped(connection)
    assert (waiting.state, waiting.again) == ("waiting", clock.at)
    assert waiting.place.endswith("probation")
    assert await filler.fill() == 1
    assert await rows(engine, "select tries, outcome from fillings") == [(1, "filled")]
    assert await rows(engine, "select state, events from records") == [("translated", 2)]


async def test_what_is_asked_for_again_is_nobodys_to_do(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """`lgw status` says when its source is asked, and does not call it overdue: now, after a redrive, then later."""

    async def told() -> tuple[str, int, datetime | None, str]:
        async with engine.connect() as connection:
            status = await read_status(connection, clock())
        (held,) = status.held
        return held.reason, held.overdue, held.again, dict(status.lines())["Held"].rpartition(", ")[2]

    del api.answers[f"/offenders/crn/{MAREN}/all"]
    (record,) = await take(engine, adapter, breach())
    await filler.fill()
    await Redrive(engine, {"probation": adapter}, journal(engine), SEALER, tools()).run([record], clock())
    assert await told() == ("pointer_not_filled", 0, clock(), "1 asked for again in 00:00:00)")
    api.statuses.append(503)
    await filler.fill()
    then = clock() + PATIENT.waits[0]
    assert await told() == ("source_unavailable", 0, then, "1 asked for again in 00:01:00)")


async def test_a_case_that_does_not_tell_it_yet(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """An answer that does not say what happened is not kept; it is asked for again and may say it then."""
    convictions = f"/offenders/crn/{MAREN}/convictions"
    api.answers[convictions] = []
    (record,) = await take(engine, adapter, event("probation-case.sentence.created", eventNumber="2"))
    await filler.fill()
    assert await rows(engine, "select state, reason from records") == [("waiting", "source_does_not_tell")]
    assert await rows(engine, "select count(*) from bodies") == [(1,)]
    api.answers[convictions] = [conviction()]
    clock.at += PATIENT.waits[0]
    await filler.fill()
    assert await rows(engine, "select id, state from records") == [(record, "translated")]


async def test_the_first_of_a_lane_goes_first(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """What happened to one person is told in its order; another person waits for nobody."""
    api.statuses.append(503)
    await take(engine, adapter, breach(), breach(at="2026-03-01T10:00:00+00:00"))
    assert await filler.fill() == 1
    assert await filler.fill() == 0
    await take(engine, adapter, breach(COLLEAGUE))
    assert await filler.fill() == 1
    assert await rows(engine, "select count(*) from records where state = 'waiting'") == [(2,)]
    clock.at += PATIENT.waits[0]
    assert await filler.fill() == 1
    assert await filler.fill() == 1
    told = await rows(engine, "select occurred from events where kind = 'supervision.breached' order by seq")
    assert [one[0].hour for one in told] == [9, 9, 10]


async def test_who_waits_behind_another_is_not_due(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """The next look is when the first of the lane is due: until then there is nothing to do, and nothing is done."""
    api.statuses.append(503)
    await take(engine, adapter, breach(), breach(at="2026-03-01T10:00:00+00:00"))
    assert await filler.fill() == 1
    async with engine.connect() as connection:
        assert await next_due(connection, ["probation"]) == clock.at + PATIENT.waits[0]


async def test_what_was_answered_is_never_asked_for_again(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, tmp_path: Path, clock: Now
) -> None:
    """Filled and held for a code nobody has mapped: after the mapping it is told from the answer that was kept."""
    convictions = f"/offenders/crn/{MAREN}/convictions"
    api.answers[convictions] = [conviction()]
    api.answers[f"{convictions}/2500298817/requirements"] = {"requirements": [requirement("RM38")]}
    (record,) = await take(engine, adapter, event("probation-case.requirement.created", requirementId="2500412207"))
    await filler.fill()
    assert await rows(engine, "select state, reason, owner from records") == [("held", "code_not_mapped", "operations")]
    ((findings,),) = await rows(engine, "select findings from records")
    assert [one["rule"] for one in findings] == ["PB-020"]
    asked = len(api.asked)
    mapped = build(api.options(tmp_path) | {"requirement.RM38": "drug_rehabilitation"})
    redrive = Redrive(engine, {"probation": mapped}, journal(engine), SEALER, tools())
    assert await redrive.run([record], clock()) == {record: Result.DONE}
    assert await rows(engine, "select kind from events order by seq") == [
        ("supervision.address-changed",),
        ("supervision.requirement-started",),
    ]
    assert len(api.asked) == asked


async def test_what_its_case_makes_wrong_is_kept_for_operations(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi
) -> None:
    """The sender was told 202, so an answer about somebody else is no refusal: it is held, with the rule."""
    api.answers[f"/offenders/crn/{MAREN}/all"] = case(otherIds={"crn": COLLEAGUE})
    await take(engine, adapter, breach())
    await filler.fill()
    assert await rows(engine, "select state, reason from records") == [("held", "filled_and_refused")]
    ((findings,),) = await rows(engine, "select findings from records")
    assert [one["rule"] for one in findings] == ["PB-014"]


async def test_what_turns_out_to_be_nobodys_is_ignored(
    engine: AsyncEngine, api: CaseApi, client: httpx.AsyncClient, clock: Now, tmp_path: Path
) -> None:
    """A release that the prisoner's record shows to be a merge is counted by its name, and its content goes."""
    prison = build_prison(api.options(tmp_path, "prisoner_search"))
    api.answers["/prisoner/A4827KX"] = {
        "prisonerNumber": "A4827KX",
        "lastMovementTypeCode": "REL",
        "lastMovementReasonCode": "MRG",
    }
    released = {
        "eventType": "prison-offender-events.prisoner.released",
        "version": 1,
        "occurredAt": "2026-03-01T10:00:00+00:00",
        "additionalInformation": {"nomsNumber": "A4827KX", "reason": "RELEASED", "prisonId": "LII"},
    }
    await take(engine, prison, released)
    await Filler(engine, {"prison": prison}, journal(engine), SEALER, PATIENT, clock, client).fill()
    assert await rows(engine, "select state, reason, owner, due from records") == [
        ("ignored", "prison-offender-events.prisoner.released:MRG", None, None)
    ]
    assert await rows(engine, "select (select count(*) from bodies), (select count(*) from data_keys)") == [(0, 0)]


async def test_who_was_erased_is_not_asked_for(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi
) -> None:
    """A record whose key is gone says nothing any more, and no source learns that we had it."""
    await take(engine, adapter, breach())
    async with engine.begin() as connection:
        await connection.execute(text("delete from data_keys"))
    await filler.fill()
    assert api.asked == []


async def test_a_fault_of_the_adapters_stops_its_record_only(
    engine: AsyncEngine, adapter: Adapter, api: CaseApi, client: httpx.AsyncClient, clock: Now
) -> None:
    """An adapter that fails over one record is asked about it later; the others go on."""
    assert adapter.fetch is not None
    asks = adapter.fetch

    async def fails(message: Message, client: httpx.AsyncClient, now: datetime) -> Any:
        if COLLEAGUE.encode() in message.body:
            raise ValueError
        return await asks(message, client, now)

    broken = Adapter(adapter.name, adapter.read, adapter.rules, adapter.records, fetch=fails)
    await take(engine, adapter, breach(COLLEAGUE), breach())
    await Filler(engine, {"probation": broken}, journal(engine), SEALER, PATIENT, clock, client).fill()
    assert await rows(engine, "select state, reason from records order by state") == [
        ("translated", None),
        ("waiting", "filling_failed"),
    ]


async def test_a_record_that_ends_every_process_is_not_asked_for_without_end(
    engine: AsyncEngine, adapter: Adapter, filler: Filler, api: CaseApi, clock: Now
) -> None:
    """Tries are counted before the work, so one that nobody lived to settle is operations' in the end."""
    await take(engine, adapter, breach())
    async with engine.begin() as connection:
        spent = text("insert into fillings (record_id, tries, next, tried) select id, :tries, :now, :now from records")
        await connection.execute(spent, {"tries": len(PATIENT.waits) + 1, "now": clock()})
    await filler.fill()
    assert await rows(engine, "select state, reason, owner from records") == [("held", "filling_failed", "operations")]
    assert api.asked == []


async def test_a_pointer_that_comes_is_asked_for_at_once(
    engine: AsyncEngine, adapter: Adapter, api: CaseApi, client: httpx.AsyncClient
) -> None:
    """The worker sleeps until a pointer is committed, and then does not wait for any round of its own."""
    real = journal(engine)
    filler = Filler(engine, {"probation": adapter}, real, SEALER, PATIENT, lambda: NOW, client)
    taking = Watched(real, filler.wake)
    tasks = [asyncio.create_task(real.run()), asyncio.create_task(filler.run())]
    try:
        taken = await taking.take(entry(adapter, breach()))
        assert isinstance(taken, Taken)
        async with asyncio.timeout(10):
            await api.arrived.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_where_nothing_is_named_to_ask_records_stay(
    engine: AsyncEngine, client: httpx.AsyncClient, clock: Now
) -> None:
    """Without a source in the settings a pointer waits as it came, for somebody to attach what it points at."""
    silent = build({})
    await take(engine, silent, breach())
    filler = Filler(engine, {"probation": silent}, journal(engine), SEALER, PATIENT, clock, client)
    running = asyncio.create_task(filler.run())
    done, _ = await asyncio.wait([running], timeout=0.1)
    assert not done
    running.cancel()
    assert await filler.fill() == 0
    assert await rows(engine, "select state, reason from records") == [("waiting", "pointer_not_filled")]


def test_waits_are_used_up_in_order() -> None:
    """The first wait follows the first try, and after the last there is none."""
    assert [wait_after(tries, PATIENT.waits) for tries in (1, 2, 3, 4)] == [*PATIENT.waits, None, None]
