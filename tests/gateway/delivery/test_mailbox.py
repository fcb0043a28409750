"""The mailbox: order, cursor, waiting, reading, answering, and what one recipient learns of another's (nothing)."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import failpoints
from gateway.access.caller import Access
from gateway.access.tokens import Tokens
from gateway.clock import system_clock
from gateway.delivery import bell as bell_module
from gateway.delivery.answering import Answering
from gateway.delivery.bell import Bell
from gateway.delivery.mailbox import router
from gateway.delivery.signing import verify
from gateway.failpoints import Crashed
from gateway.parties import Client, Parties, Party
from gateway.problems import install
from gateway.store.ledger import listen
from tests.support.deliveries import SEALER, SECRETS, SIGNER, Owed, engine_of, person_of, queue, run_sql, states

pytestmark = pytest.mark.services

ISSUER = "http://gateway.test"
TOKENS = Tokens(SECRETS.tokens, ISSUER)
PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def lasars(area: str) -> Party:
    """The LASARS of an area."""
    return Party(
        id=f"lasars-{area}",
        name=area,
        recipient=True,
        service="lasars",
        area=area,
        clients=(Client(id=f"{area}.system", keys=(PUBLIC,)),),
    )


FORCE = Party(id="met", name="A force", agency="police_custody", clients=(Client(id="met.system", keys=(PUBLIC,)),))
PARTIES = Parties((lasars("stockport"), lasars("enfield"), lasars("wigan"), FORCE))
HOME = "lasars-stockport"


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    async with engine_of(postgres, pool=12) as engine:
        yield engine


@pytest.fixture
async def app(engine: AsyncEngine) -> AsyncIterator[FastAPI]:
    """The mailbox as an application, with its bell."""
    app = FastAPI()
    install(app)
    bell = Bell(engine)
    access = Access(TOKENS, PARTIES, system_clock)
    answering = Answering(engine, PARTIES, system_clock)
    app.include_router(router(engine, SEALER, SIGNER, access, bell, answering, system_clock))
    ringing = asyncio.create_task(bell.run())
    yield app
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)


@asynccontextmanager
async def calling(app: FastAPI, area: str | None = "stockport") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the LASARS of an area; without an area, of nobody."""
    headers = {}
    if area is not None:
        token = TOKENS.issue(f"{area}.system", datetime.now(UTC).timestamp())
        headers["authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=ISSUER, headers=headers, timeout=30
    ) as client:
        yield client


@pytest.fixture
async def home(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Stockport's client."""
    async with calling(app) as client:
        yield client


async def test_notices_come_in_order_and_page_by_page(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Ids, kinds and times, nothing else; another recipient's are not among them."""
    queued = await queue(engine, [Owed(HOME, n) for n in range(7)] + [Owed("lasars-enfield", 1)])
    found, cursor = [], 0
    for _ in range(4):
        page = (await home.get("/v1/mailbox", params={"after": cursor, "limit": 3})).json()
        found += page["notices"]
        cursor = page["cursor"]
    assert [notice["id"] for notice in found] == [str(one.id) for one in queued[:7]]
    assert [notice["position"] for notice in found] == list(range(1, 8))
    assert set(found[0]) == {"id", "position", "kind", "change", "role", "created", "state"}
    assert cursor == 7


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/mailbox"),
        ("GET", "/v1/mailbox?wait=20"),
        ("GET", f"/v1/messages/{uuid.uuid4()}"),
        ("POST", f"/v1/messages/{uuid.uuid4()}/receipt"),
    ],
)
async def test_who_only_sends_has_no_mailbox_and_is_told_so(app: FastAPI, method: str, path: str) -> None:
    """An empty page would have it wait for ever."""
    async with calling(app, "met") as client:
        answer = await client.request(method, path, json={"result": "accepted"} if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Your party has no mailbox: it is not registered as a recipient."


async def test_a_cursor_never_skips_what_commits_late(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Eight writers with transactions of any length, one reader: it sees every position once, in order."""
    chance = random.Random(3)
    seen: list[int] = []
    expected = 8 * 12

    async def write(writer: int) -> None:
        for n in range(12):
            await asyncio.sleep(chance.random() / 100)
            await queue(engine, [Owed(HOME, writer * 100 + n)])

    async def read() -> None:
        cursor = 0
        while len(seen) < expected:
            page = (await home.get("/v1/mailbox", params={"after": cursor, "limit": 200, "wait": 5})).json()
            seen.extend(notice["position"] for notice in page["notices"])
            cursor = page["cursor"]

    await asyncio.gather(read(), *(write(writer) for writer in range(8)))
    assert seen == list(range(1, expected + 1))


async def test_who_waits_is_answered_when_something_comes(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Not after the wait, and not for another's."""
    waiting = asyncio.create_task(home.get("/v1/mailbox", params={"wait": 20}))
    await queue(engine, [Owed("lasars-enfield", 1)])
    (one,) = await queue(engine, [Owed(HOME, 1)])
    async with asyncio.timeout(10):
        page = (await waiting).json()
    assert [notice["id"] for notice in page["notices"]] == [str(one.id)]


async def test_nobody_listens_where_nobody_waits(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It listens from when somebody waits, so that an announcement rings, until nobody does; and then anew."""
    begun = 0

    async def noted(*given: Any) -> None:
        nonlocal begun
        begun += 1
        await listen(*given)

    monkeypatch.setattr(bell_module, "listen", noted)
    bell = Bell(engine, linger=0.01)
    ringing = asyncio.create_task(bell.run())
    try:
        async with asyncio.timeout(20):
            for number in range(2):
                assert (await listeners(engine), begun) == (0, number)
                async with bell.listening(HOME) as rung:
                    await rung.wait()  # once, because something may have come before it listened
                    rung.clear()
                    await queue(engine, [Owed(HOME, 1)])
                    await rung.wait()
                while await listeners(engine):
                    pass
    finally:
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)


async def listeners(engine: AsyncEngine) -> int:
    """The sessions whose last statement was to listen."""
    told = "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
    [(count,)] = await run_sql(engine, told)
    return int(count)


async def test_who_only_looks_makes_nobody_listen(
    engine: AsyncEngine, home: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page at once, or none: nobody waits for it."""

    def never(*_: object) -> None:
        raise AssertionError("somebody listens")

    monkeypatch.setattr(Bell, "listening", never)
    assert (await home.get("/v1/mailbox")).json()["notices"] == []
    await queue(engine, [Owed(HOME, 1)])
    assert len((await home.get("/v1/mailbox", params={"wait": 20})).json()["notices"]) == 1


async def test_who_waits_in_vain_gets_an_empty_page_and_the_same_cursor(home: httpx.AsyncClient) -> None:
    """After the time it asked for."""
    assert (await home.get("/v1/mailbox", params={"after": 5, "wait": 1})).json() == {"notices": [], "cursor": 5}


async def test_the_bell_outlives_its_session(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """PostgreSQL ends every session; a recipient that waits is still told within its wait."""
    await home.get("/v1/mailbox")
    await run_sql(
        engine,
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()",
    )
    await engine.dispose()
    waiting = asyncio.create_task(home.get("/v1/mailbox", params={"wait": 20}))
    await queue(engine, [Owed(HOME, 1)])
    async with asyncio.timeout(10):
        assert len((await waiting).json()["notices"]) == 1


async def test_a_message_is_the_bytes_of_the_push_signed_alike(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """The first read offers it; every read gives the same bytes."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    keys = (await home.get("/v1/keys")).json()["keys"]
    for _ in range(2):
        answer = await home.get(f"/v1/messages/{one.id}")
        assert answer.status_code == 200
        assert answer.content == one.body
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert verify(keys, headers, answer.content, datetime.now(UTC)) == str(one.id)
    (row,) = await run_sql(engine, "select state, offered from deliveries")
    assert row.state == "offered"
    assert row.offered is not None


@pytest.mark.parametrize("state", ["discarded", "retracted", "erased"])
async def test_what_was_withdrawn_is_served_to_nobody(engine: AsyncEngine, home: httpx.AsyncClient, state: str) -> None:
    """Its notice says so; its content is gone."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    await run_sql(engine, "update deliveries set state = :state", state=state)
    assert (await home.get("/v1/mailbox")).json()["notices"][0]["state"] == state
    assert (await home.get(f"/v1/messages/{one.id}")).status_code == 410
    assert (await states(engine))[one.id] == state


async def test_a_parked_message_is_collected_from_the_mailbox(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Then nobody needs to look at it any more."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    await run_sql(engine, "update deliveries set state = 'parked', reason = 'x', owner = 'recipient', due = now()")
    assert (await home.get(f"/v1/messages/{one.id}")).content == one.body
    (row,) = await run_sql(engine, "select state, reason, owner, due from deliveries")
    assert tuple(row) == ("offered", None, None, None)


async def test_anothers_message_answers_like_one_that_does_not_exist(app: FastAPI, engine: AsyncEngine) -> None:
    """The same status, the same bytes, the same headers, for reading and for answering; a restricted one too."""
    theirs, restricted = await queue(engine, [Owed(HOME, 1), Owed("lasars-enfield", 2)])
    await run_sql(engine, "update deliveries set state = 'restricted' where id = :id", id=restricted.id)
    ids = [str(theirs.id), str(restricted.id), str(uuid.uuid4()), str(theirs.id).upper(), "nonsense", "%00"]
    async with calling(app, "enfield") as enfield:
        read = [await enfield.get(f"/v1/messages/{one}") for one in ids]
        told = [await enfield.post(f"/v1/messages/{one}/receipt", json={"result": "accepted"}) for one in ids]
    for answers in (read, told):
        assert {(a.status_code, a.content, tuple(sorted(a.headers.items()))) for a in answers} == {
            (404, answers[0].content, tuple(sorted(answers[0].headers.items())))
        }
    assert (await states(engine))[theirs.id] == "queued"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/mailbox?limit=9999"),
        ("GET", "/v1/messages/nonsense"),
        ("POST", f"/v1/messages/{uuid.uuid4()}/receipt"),
    ],
)
async def test_nobody_learns_anything_without_a_token(app: FastAPI, method: str, path: str) -> None:
    """Not even that a request is malformed."""
    async with calling(app, None) as nobody:
        assert (await nobody.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=9223372036854775808", "limit=0", "limit=201", "wait=21", "wait=x"]
)
async def test_a_malformed_query_is_a_problem(home: httpx.AsyncClient, query: str) -> None:
    """400, naming the parameter."""
    answer = await home.get(f"/v1/mailbox?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


async def receipt(client: httpx.AsyncClient, one: Any, **told: str) -> httpx.Response:
    """Answer a message."""
    return await client.post(f"/v1/messages/{one.id}/receipt", json=told)


async def test_an_answer_is_taken_once_however_often_it_is_sent(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Ten times at once: one receipt, ten equal answers."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    answers = await asyncio.gather(*(receipt(home, one, result="accepted") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["state"] == "acknowledged"
    assert len(await run_sql(engine, "select 1 from receipts")) == 1
    (row,) = await run_sql(engine, "select state, acknowledged from deliveries")
    assert row.state == "acknowledged"
    assert row.acknowledged is not None


async def test_a_story_is_told_in_order(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Accepted, then missed; and that it was attended after all contradicts it."""
    (one,) = await queue(engine, [Owed(HOME, 1, kind="custody.assessment.required")])
    assert (await receipt(home, one, result="accepted")).json()["number"] == 1
    assert (await receipt(home, one, result="assessment_missed")).json()["number"] == 2
    refused = await receipt(home, one, result="assessment_attended")
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    rows = await run_sql(engine, "select number, result from receipts order by number")
    assert [tuple(row) for row in rows] == [(1, "accepted"), (2, "assessment_missed")]


async def test_not_our_area_goes_to_operations_with_the_area_suggested(
    engine: AsyncEngine, home: httpx.AsyncClient
) -> None:
    """An area nobody serves is no suggestion."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    assert (await receipt(home, one, result="not_our_area", suggested="atlantis")).status_code == 400
    answer = (await receipt(home, one, result="not_our_area", suggested="wigan")).json()
    assert (answer["state"], answer["suggested"]) == ("rejected", "wigan")
    (row,) = await run_sql(engine, "select state, reason, owner, due from deliveries")
    assert (row.state, row.reason, row.owner) == ("rejected", "recipient_said_not_our_area", "operations")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({}, "body.result"),
        ({"result": "perhaps"}, "body.result"),
        ({"result": "rejected"}, "code"),
        ({"result": "accepted", "code": "other"}, "code"),
        ({"result": "rejected", "code": "his name is John"}, "body.code"),
        ({"result": "accepted", "suggested": "wigan"}, "suggested"),
        ({"result": "accepted", "at": "2026-03-02T09:30:00"}, "body.at"),
        ({"result": "accepted", "at": "2999-03-02T09:30:00Z"}, "at"),
        ({"result": "accepted", "his name": "John"}, "body"),
    ],
)
async def test_a_malformed_answer_is_refused_without_quoting_it(
    engine: AsyncEngine, home: httpx.AsyncClient, told: dict[str, str], field: str
) -> None:
    """400 with the field to mend; nothing is taken, and nothing that was written stands in the problem."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    answer = await home.post(f"/v1/messages/{one.id}/receipt", json=told)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["text"].endswith(".")
    assert "John" not in answer.text
    assert "his name" not in answer.text
    assert await run_sql(engine, "select 1 from receipts") == []


async def test_an_endless_answer_is_not_read(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """413 after four kilobytes."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    answer = await home.post(f"/v1/messages/{one.id}/receipt", content=b" " * 5000)
    assert answer.status_code == 413


async def case(engine: AsyncEngine, *responsible: str | None) -> uuid.UUID:
    """A case for which these areas were responsible, one after the other."""
    made = uuid.uuid4()
    await run_sql(
        engine,
        "insert into cases (id, person_id, opened_by, opened) values (:id, :person, gen_random_uuid(), now())",
        id=made,
        person=person_of(1),
    )
    for number, area in enumerate(responsible, 1):
        await run_sql(
            engine,
            "insert into responsibilities (case_id, number, area, since, reason)"
            " values (:id, :number, :area, now(), 'opened')",
            id=made,
            number=number,
            area=area,
        )
    return made


async def test_the_responsible_lasars_closes_its_case(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """Once; and nothing else of the case changes."""
    opened = await case(engine, "enfield", "stockport")
    (one,) = await queue(engine, [Owed(HOME, 1, case=opened)])
    assert (await receipt(home, one, result="closed")).status_code == 200
    assert (await receipt(home, one, result="closed")).status_code == 200
    (row,) = await run_sql(engine, "select closed, closed_by from cases")
    assert row.closed is not None
    assert row.closed_by == one.id
    assert len(await run_sql(engine, "select 1 from responsibilities")) == 2


@pytest.mark.parametrize("responsible", [("stockport", "enfield"), ("stockport", None), ()])
async def test_nobody_else_closes_a_case(
    engine: AsyncEngine, home: httpx.AsyncClient, responsible: tuple[str | None, ...]
) -> None:
    """Neither who was responsible before, nor anybody while the case is outside the scheme."""
    opened = await case(engine, *responsible)
    (one,) = await queue(engine, [Owed(HOME, 1, case=opened)])
    assert (await receipt(home, one, result="closed")).status_code == 409
    assert (await run_sql(engine, "select closed from cases"))[0].closed is None
    assert await run_sql(engine, "select 1 from receipts") == []


async def test_a_message_without_a_case_closes_none(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """409, and the message can still be answered."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    assert (await receipt(home, one, result="closed")).status_code == 409
    assert (await receipt(home, one, result="accepted")).status_code == 200


async def test_what_was_withdrawn_takes_no_answer(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """409; but what was superseded or retracted after it was sent is still acknowledged, and stays what it is."""
    for state, status in (("discarded", 409), ("erased", 409), ("superseded", 200), ("retracted", 200)):
        (one,) = await queue(engine, [Owed(HOME, 1)])
        await run_sql(engine, "update deliveries set state = :state where id = :id", state=state, id=one.id)
        assert (await receipt(home, one, result="accepted")).status_code == status
        assert (await states(engine))[one.id] == state


@pytest.mark.parametrize("point", ["M1", "M2", "M3", "M4", "A1", "A2", "A3"])
async def test_a_crash_between_any_two_steps_leaves_one_effect(
    engine: AsyncEngine, home: httpx.AsyncClient, point: str
) -> None:
    """List, read and answer again after it: the same bytes, one receipt."""
    (one,) = await queue(engine, [Owed(HOME, 1)])

    async def everything() -> tuple[bytes, bytes]:
        await home.get("/v1/mailbox")
        body = (await home.get(f"/v1/messages/{one.id}")).content
        return body, (await receipt(home, one, result="accepted")).content

    failpoints.arm(f"{point}:1:raise")
    try:
        with pytest.raises((Crashed, BaseExceptionGroup)):
            await everything()
    finally:
        failpoints.arm(None)
    first, second = await everything(), await everything()
    assert first == second
    assert first[0] == one.body
    assert len(await run_sql(engine, "select 1 from receipts")) == 1


async def test_a_clock_a_little_ahead_is_no_fault(engine: AsyncEngine, home: httpx.AsyncClient) -> None:
    """The recipient's time of the answer is kept."""
    (one,) = await queue(engine, [Owed(HOME, 1)])
    at = datetime.now(UTC) + timedelta(minutes=2)
    assert (await receipt(home, one, result="accepted", at=at.isoformat())).status_code == 200
    assert (await run_sql(engine, "select at from receipts"))[0].at == at
