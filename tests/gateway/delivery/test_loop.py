"""Delivery as a whole: a real PostgreSQL, real HTTP doors, and everything that can go wrong between them."""

import asyncio
import os
import random
import signal
import sys
import tracemalloc
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import Clock, system_clock
from gateway.delivery.loop import DeliveryLoop
from gateway.delivery.signing import verify, write_key
from gateway.parties import Body, Parties, Party, Push
from gateway.settings import Delivery as Settings
from tests.support.deliveries import SEALER, SECRETS, SIGNER, Owed, Queued, engine_of, person_of, queue, run_sql, states
from tests.support.pushed import Door

pytestmark = pytest.mark.services

KEYS = [write_key(public) for public in SIGNER.public_keys()]
QUICK = Settings(
    waits=(timedelta(milliseconds=50),),
    give_up_after=timedelta(hours=72),
    deadline=timedelta(seconds=5),
    circuit=timedelta(milliseconds=200),
)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    async with engine_of(postgres) as engine:
        yield engine


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door all recipients share, each under its own path."""
    async with Door() as door:
        yield door


def recipients(door: Door, *names: str, in_flight: int = 8, body: Body = Body.FULL) -> Parties:
    """Recipients with push."""
    return Parties(
        tuple(
            Party(
                id=name,
                name=name,
                recipient=True,
                push=Push(url=door.url.replace("push", name), body=body, in_flight=in_flight),
            )
            for name in names
        )
    )


@asynccontextmanager
async def delivering(
    engine: AsyncEngine, parties: Parties, settings: Settings = QUICK, clock: Clock = system_clock
) -> AsyncIterator[DeliveryLoop]:
    """A loop that runs, and is stopped as a process is."""
    loop = DeliveryLoop(
        engine, parties, SEALER, SIGNER, settings, clock, chance=lambda: 0.5, look=timedelta(milliseconds=100)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run())
        yield loop
        await loop.stop()


async def eventually(condition: Callable[[], Awaitable[bool]], *, within: float = 30) -> None:
    """Look at what only the database or the loop itself can tell, until it is so."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.02)


async def until(engine: AsyncEngine, wanted: Callable[[dict[Any, str]], bool], *, within: float = 30) -> dict[Any, str]:
    """The states of all deliveries, once they are as wanted."""
    found: dict[Any, str] = {}

    async def looked() -> bool:
        nonlocal found
        found = await states(engine)
        return wanted(found)

    await eventually(looked, within=within)
    return found


async def carrying(loop: DeliveryLoop, *names: str) -> None:
    """Wait until a loop carries for exactly these recipients."""

    async def does() -> bool:
        return loop.recipients == set(names)

    await eventually(does)


def all_are(state: str) -> Callable[[dict[Any, str]], bool]:
    """Whether all deliveries are in this state."""
    return lambda found: set(found.values()) == {state}


def orders(door: Door, queued: list[Queued]) -> dict[tuple[str, Any], list[int]]:
    """For each recipient's each person, the positions in the order of their first arrivals."""
    known = {str(one.id): one for one in queued}
    found: dict[tuple[str, Any], list[int]] = defaultdict(list)
    for arrival in door.arrivals:
        one = known[arrival.id]
        row = found[one.owed.recipient, one.person_id]
        if one.position not in row:
            row.append(one.position)
    return found


async def test_everything_queued_arrives_once_in_order_and_signed(engine: AsyncEngine, door: Door) -> None:
    """Byte for byte what was sealed; and the table says so."""
    queued = await queue(engine, [Owed("a", n % 40, n) for n in range(200)] + [Owed("b", n) for n in range(20)])
    async with delivering(engine, recipients(door, "a", "b")):
        await until(engine, all_are("offered"))
    assert {a.id: a.body for a in door.arrivals} == {str(one.id): one.body for one in queued}
    assert len(door.arrivals) == len(queued)
    for arrival in door.arrivals:
        assert verify(KEYS, arrival.headers, arrival.body, datetime.now(UTC)) == arrival.id
    for row in orders(door, queued).values():
        assert row == sorted(row)
    rows = await run_sql(engine, "select attempts, offered, next from deliveries")
    assert all(row.attempts == 1 and row.offered is not None and row.next is None for row in rows)
    assert await run_sql(engine, "select 1 from attempts") == []


async def test_order_holds_when_the_recipient_fails_by_chance(engine: AsyncEngine, door: Door) -> None:
    """A third of all answers are failures of every kind; nobody's second delivery overtakes their first."""
    chance = random.Random(7)

    async def sometimes(_: web.Request) -> web.StreamResponse:
        return web.Response(status=chance.choice([204, 204, 204, 204, 500, 503]))

    door.answer = sometimes
    queued = await queue(engine, [Owed("a", n % 30, n) for n in range(150)])
    async with delivering(engine, recipients(door, "a")):
        await until(engine, all_are("offered"))
    for row in orders(door, queued).values():
        assert row == sorted(row)
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for arrival in door.arrivals:
        bodies[arrival.id].add(arrival.body)
    assert all(len(found) == 1 for found in bodies.values())
    (failed,) = await run_sql(engine, "select count(*) as n, min(number) as first from attempts where status >= 500")
    assert failed.n == len(door.arrivals) - len(queued)
    assert failed.first == 1


async def test_at_most_one_is_under_way_per_person(engine: AsyncEngine, door: Door) -> None:
    """And at most in_flight persons at once."""
    persons: dict[str, int] = defaultdict(int)

    async def watched(request: web.Request) -> web.StreamResponse:
        person = (await request.json())["person"]
        persons[person] += 1
        assert persons[person] == 1
        await asyncio.sleep(0.005)
        persons[person] -= 1
        return web.Response(status=204)

    door.answer = watched
    await queue(engine, [Owed("a", n % 6, n) for n in range(60)])
    async with delivering(engine, recipients(door, "a", in_flight=4)):
        await until(engine, all_are("offered"))
    assert door.most_under_way == 4


async def test_a_person_whose_delivery_fails_delays_nobody_else(engine: AsyncEngine, door: Door) -> None:
    """Only that person's later ones wait; they go out in order when it heals."""
    healed = False

    async def all_but_one(request: web.Request) -> web.StreamResponse:
        failing = (await request.json())["person"] == "P-3" and not healed
        return web.Response(status=500 if failing else 204)

    door.answer = all_but_one
    queued = await queue(engine, [Owed("a", n % 10, n) for n in range(100)])
    async with delivering(engine, recipients(door, "a")):
        await until(engine, lambda found: list(found.values()).count("offered") == 90)
        healed = True
        await until(engine, all_are("offered"))
    row = orders(door, queued)["a", person_of(3)]
    assert row == sorted(row)


async def test_a_dead_recipient_delays_nobody_else(engine: AsyncEngine, door: Door) -> None:
    """Its circuit opens, nothing of it is held in memory, and the others' deliveries all arrive."""

    async def a_is_dead(request: web.Request) -> web.StreamResponse:
        if request.path == "/a":
            await asyncio.Event().wait()
        return web.Response(status=204)

    door.answer = a_is_dead
    await queue(engine, [Owed("a", n) for n in range(300)])
    others = await queue(engine, [Owed("b", n % 50, n) for n in range(300)])
    settings = QUICK.model_copy(update={"deadline": timedelta(milliseconds=300), "circuit": timedelta(minutes=1)})
    async with delivering(engine, recipients(door, "a", "b"), settings):
        found = await until(engine, lambda now: all(now[one.id] == "offered" for one in others))
        assert list(found.values()).count("queued") == 300
        tried = len([arrival for arrival in door.arrivals if arrival.path == "/a"])
        assert tried <= 16


async def test_a_recipient_that_comes_back_gets_everything_in_order(engine: AsyncEngine, door: Door) -> None:
    """While it is down one trial at a time knocks; when it is back, what waited need not wait out its time."""
    up = False

    async def down(_: web.Request) -> web.StreamResponse:
        return web.Response(status=204 if up else 503)

    door.answer = down
    queued = await queue(engine, [Owed("a", n % 25, n) for n in range(100)])
    slow = QUICK.model_copy(update={"waits": (timedelta(hours=1),)})
    async with delivering(engine, recipients(door, "a"), slow):
        await door.until(12)
        up = True
        await until(engine, all_are("offered"))
    for row in orders(door, queued).values():
        assert row == sorted(row)


async def test_a_shut_door_opens_the_circuit_and_loses_nothing(engine: AsyncEngine, door: Door) -> None:
    """401 to everything: nothing is parked, however long it lasts."""
    up = False

    async def shut(_: web.Request) -> web.StreamResponse:
        return web.Response(status=204 if up else 401)

    door.answer = shut
    await queue(engine, [Owed("a", n) for n in range(50)])
    async with delivering(engine, recipients(door, "a", in_flight=1)):
        await door.until(4)
        assert set((await states(engine)).values()) == {"queued"}
        assert len(door.arrivals) <= 6
        up = True
        await until(engine, all_are("offered"))


async def test_a_refused_delivery_is_parked_and_blocks_its_person_until_dealt_with(
    engine: AsyncEngine, door: Door
) -> None:
    """A delivery refused once is never tried again by itself; collected from the mailbox, it lets the next ones go."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=422 if (await request.json())["version"] == 2 else 204)

    door.answer = refuse
    one, two, three = await queue(engine, [Owed("a", 1, version) for version in (1, 2, 3)])
    (other,) = await queue(engine, [Owed("a", 2, 9)])
    async with delivering(engine, recipients(door, "a")):
        found = await until(engine, lambda now: now[two.id] == "parked" and now[other.id] == "offered")
        assert (found[one.id], found[three.id]) == ("offered", "queued")
        (row,) = await run_sql(engine, "select reason, owner, due from deliveries where state = 'parked'")
        assert (row.reason, row.owner) == ("recipient_rejected_content", "recipient")
        assert row.due is not None
        await run_sql(engine, "update deliveries set state = 'offered' where id = :id", id=two.id)
        await until(engine, all_are("offered"))
    assert [a.id for a in door.arrivals].count(str(two.id)) == 1


async def test_patience_ends_in_parking(engine: AsyncEngine, door: Door) -> None:
    """After 72 h of failures, with the reason and the owner; the clock is ours to move."""
    now = datetime.now(UTC)

    async def fail(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    door.answer = fail
    await queue(engine, [Owed("a", 1)])
    async with delivering(engine, recipients(door, "a"), clock=lambda: now) as loop:
        for attempts in range(1, 6):
            await door.until(attempts)
            await until_settled(engine, attempts)
            now += timedelta(hours=20)
            loop.wake(["a"])
    (row,) = await run_sql(engine, "select state, reason, owner, attempts from deliveries")
    assert (row.state, row.reason, row.owner) == ("parked", "recipient_unreachable", "recipient")
    (kept,) = await run_sql(engine, "select count(*) as n, max(number) as last from attempts")
    assert kept.n == kept.last == row.attempts == len(door.arrivals)


async def until_settled(engine: AsyncEngine, attempts: int) -> None:
    """Wait until so many attempts are written."""

    async def written() -> bool:
        (row,) = await run_sql(engine, "select sum(attempts) as n from deliveries")
        return bool(row.n >= attempts)

    await eventually(written)


async def test_what_is_erased_or_withdrawn_is_not_sent(engine: AsyncEngine, door: Door) -> None:
    """A destroyed key settles as erased; what left the queue is not looked at."""
    erased, withdrawn, fine = await queue(engine, [Owed("a", 1), Owed("a", 2), Owed("a", 1)])
    await run_sql(
        engine,
        "delete from data_keys where record_id = (select record_id from deliveries where id = :id)",
        id=erased.id,
    )
    await run_sql(engine, "update deliveries set state = 'discarded' where id = :id", id=withdrawn.id)
    async with delivering(engine, recipients(door, "a")):
        found = await until(engine, lambda now: now[fine.id] == "offered")
    assert (found[erased.id], found[withdrawn.id]) == ("erased", "discarded")
    assert [arrival.id for arrival in door.arrivals] == [str(fine.id)]


async def test_a_late_settlement_changes_nothing_that_moved_on(engine: AsyncEngine, door: Door) -> None:
    """A delivery answered while its push was under way keeps the answer's state."""
    release = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response(status=500)

    door.answer = slow
    (one,) = await queue(engine, [Owed("a", 1)])
    async with delivering(engine, recipients(door, "a")):
        await door.until(1)
        await run_sql(engine, "update deliveries set state = 'acknowledged' where id = :id", id=one.id)
        release.set()
        await queue(engine, [Owed("a", 1, 2)])
        await door.until(2)
    assert (await states(engine))[one.id] == "acknowledged"


async def test_what_other_processes_commit_wakes_the_loop(engine: AsyncEngine, door: Door) -> None:
    """The announcement made with the positions is enough; nobody polls."""
    loop = DeliveryLoop(engine, recipients(door, "a"), SEALER, SIGNER, QUICK, system_clock, look=timedelta(minutes=10))
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run())
        await carrying(loop, "a")
        for count in range(1, 4):
            await queue(engine, [Owed("a", count)])
            await door.until(count, within=5)
        await until(engine, all_are("offered"))
        await loop.stop()


async def test_processes_share_the_recipients_and_take_over(engine: AsyncEngine, door: Door) -> None:
    """Two have half each, and never the same; when one goes the other has all."""
    names = [f"r{n}" for n in range(6)]
    parties = recipients(door, *names)
    async with delivering(engine, parties) as one:
        await carrying(one, *names)
        async with delivering(engine, parties) as two:

            async def shared() -> bool:
                assert not one.recipients & two.recipients
                return (len(one.recipients), len(two.recipients)) == (3, 3)

            await eventually(shared)
            assert one.recipients | two.recipients == set(names)
            await queue(engine, [Owed(name, n) for name in names for n in range(5)])
            await until(engine, all_are("offered"))
        await carrying(one, *names)
    assert len(door.arrivals) == 30


async def test_a_lost_session_is_made_anew_and_nothing_with_it_is_lost(
    engine: AsyncEngine, postgres: str, door: Door
) -> None:
    """PostgreSQL ends every session in the middle; all arrives in order, a repeat with the same bytes."""
    queued = await queue(engine, [Owed("a", n % 50, n) for n in range(400)])
    async with delivering(engine, recipients(door, "a")):
        await door.until(40)
        await run_sql(
            engine,
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()",
        )
        async with engine_of(postgres) as looking:
            await until(looking, all_are("offered"))
    for row in orders(door, queued).values():
        assert row == sorted(row)


async def test_a_loop_cancelled_while_its_session_is_lost_ends(engine: AsyncEngine, door: Door) -> None:
    """Python before 3.13 tells only the loss, where both come at once; the loop must not begin anew."""

    async def is_ended() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        running.cancel()

    async def is_lost() -> None:
        raise ConnectionError

    class Losing(DeliveryLoop):
        """Loses its session as it is cancelled."""

        async def _serve(self) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(is_ended())
                group.create_task(is_lost())

    running = asyncio.create_task(Losing(engine, recipients(door), SEALER, SIGNER, QUICK, system_clock).run())
    await asyncio.wait([running], timeout=10)
    assert running.cancelled()


@pytest.mark.parametrize("point", ["D3", "D4", "D5", "D6", "D7", "D8"])
async def test_a_kill_between_any_two_steps_repeats_the_same_bytes(
    engine: AsyncEngine, postgres: str, door: Door, point: str, tmp_path: Path
) -> None:
    """The same id and body again, in order, with nothing lost."""
    queued = await queue(engine, [Owed("a", n % 5, n) for n in range(30)])
    SECRETS.write(tmp_path / "keys.json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.delivering"),
        *(postgres, str(tmp_path / "keys.json"), door.url.replace("push", "a"), "a"),
        env={**os.environ, "GATEWAY_CRASH": f"{point}:3:kill"},
        cwd=Path(__file__).parents[3],
    )
    async with asyncio.timeout(30):
        assert await process.wait() == -signal.SIGKILL
    assert "queued" in (await states(engine)).values()
    async with delivering(engine, recipients(door, "a")):
        await until(engine, all_are("offered"))
    for row in orders(door, queued).values():
        assert row == sorted(row)
    bodies = {str(one.id): one.body for one in queued}
    assert {arrival.id for arrival in door.arrivals} == set(bodies)
    assert all(arrival.body == bodies[arrival.id] for arrival in door.arrivals)


@pytest.mark.slow
async def test_a_hundred_thousand_queued_for_a_dead_recipient_cost_no_memory(engine: AsyncEngine, door: Door) -> None:
    """They stay in the database; another recipient's deliveries flow past them."""

    async def a_is_dead(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if request.path == "/a" else 204)

    door.answer = a_is_dead
    for start in range(0, 100_000, 5000):
        await queue(engine, [Owed("a", n) for n in range(start, start + 5000)])

    async def others_have_theirs() -> bool:
        return bool(
            await run_sql(
                engine,
                "select 1 from deliveries where recipient = 'b' having count(*) = 200 and bool_and(state = 'offered')",
            )
        )

    tracemalloc.start()
    try:
        async with delivering(engine, recipients(door, "a", "b")) as loop:
            await queue(engine, [Owed("b", n) for n in range(200)])
            await eventually(others_have_theirs, within=60)
            await door.until(len(door.arrivals) + 3)
            assert loop.held < 1000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20
