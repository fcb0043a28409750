"""Nothing is decided before what was committed before it in its lane, on a real PostgreSQL."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing import address as address_module
from gateway.addressing import consumer as consumer_module
from gateway.addressing.address import Addressed, Arrived
from gateway.addressing.turn import in_turn
from gateway.settings import Store
from gateway.store import outbox, quarantine
from gateway.store.ledger import open_engine
from gateway.store.lookup import LookedUp
from gateway.store.outbox import Unpublished
from gateway.store.session import Session, transaction
from gateway.store.statement import Statement
from tests.support.consuming import deciding, published, record_of, relayed, states, unaccounted
from tests.support.facts import NOW, SETTLE, entry, journal, reception

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


_READ = Statement(
    "select cast(sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) as bigint) from pg_stat_xact_user_tables"
    " where relname in ('events', 'decisions', 'undecided')"
)
"""How many rows of what grows with a history this transaction has read so far."""


async def versions(engine: AsyncEngine, *prisons: str) -> list[Unpublished]:
    """One fact told so many times, each time otherwise, and all of it taken from the outbox."""
    for prison in prisons:
        await journal(engine).commit([entry(reception("a fact", prison=prison))])
    return await relayed(engine)


async def test_a_correction_that_comes_before_what_it_corrects_waits_its_turn(engine: AsyncEngine) -> None:
    """Kafka lost the first two versions: the third goes back in line behind them, and all are decided in order."""
    told = await versions(engine, "LII", "NSI", "WDI")
    await deciding(engine).handle([record_of(told[2])])
    assert await states(engine) == {}
    arrived = [told[2]]
    for _ in range(3):
        arrived = await relayed(engine)
        await deciding(engine).handle([record_of(event) for event in arrived])
    assert await states(engine) == {"no_recipient": 3}
    async with engine.connect() as connection:
        order = await connection.execute(
            text("select e.seq from decisions d join events e on e.id = d.event_id order by d.decided, e.seq")
        )
        assert list(order.scalars()) == [event.seq for event in told]
    assert await unaccounted(engine) == 0


async def test_what_still_settles_by_this_clock_keeps_its_place_among_what_arrived(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay whose clock is ahead has sent it, and not taken it out: it is decided after what was told before it."""
    order: list[Sequence[uuid.UUID]] = []

    async def noted(*asked: Any) -> list[Arrived]:
        found = await in_turn(*asked)
        order.append([one.envelope.id for one in found])
        return found

    monkeypatch.setattr(address_module, "in_turn", noted)
    await journal(engine).commit([entry(reception("one"))])
    await journal(engine).commit([entry(reception("two", settles=True))])
    async with transaction(engine) as session:
        sent, _ = await outbox.take_out_and_read(session, (), range(16), NOW + SETTLE, 100)
    await deciding(engine).handle([record_of(event) for event in sent])
    assert order == [[event.envelope.id for event in sent]]
    assert await states(engine) == {"no_recipient": 2}


async def test_a_rebuild_puts_back_what_nobody_decided_or_all_that_was_ever_published(engine: AsyncEngine) -> None:
    """What was suppressed or overtaken before it went out never goes out."""
    decided, lost = await published(engine, 2)
    await deciding(engine).handle([record_of(decided)])
    await journal(engine).commit([entry(reception("one", settles=True))])
    await journal(engine).commit([entry(reception("two", settles=True, reverses="imprisonment.received"))])
    for everything, expected in ((False, [lost]), (True, [decided, lost])):
        async with engine.begin() as connection:
            assert await outbox.publish_again(connection, NOW, everything=everything) == len(expected)
        assert [event.seq for event in await relayed(engine)] == [event.seq for event in expected]


async def test_a_long_history_is_not_looked_at_again(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn it is costs the same, however much was decided in the lane before."""
    read: list[int] = []
    real = address_module.look_up

    async def counted(session: Session, **asked: Any) -> LookedUp:
        before = await session.value(_READ)
        found = await real(session, **asked)
        read.append(await session.value(_READ) - before)
        return found

    monkeypatch.setattr(address_module, "look_up", counted)
    for number in range(40):
        await journal(engine).commit([entry(reception(f"fact {number}"))])
        await deciding(engine).handle([record_of(event) for event in await relayed(engine)])
    assert await states(engine) == {"no_recipient": 40}
    assert read[-1] == read[1]


async def test_what_was_overtaken_in_quarantine_is_not_told_after_its_correction(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poison event driven again after its correction was decided ends superseded: order is kept, nothing is lost."""
    first, second = await versions(engine, "LII", "NSI")
    real = consumer_module.address

    async def failing(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if any(one.envelope.id == first.envelope.id for one in batch):
            raise ZeroDivisionError
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", failing)
    await deciding(engine).handle([record_of(first), record_of(second)])
    assert await states(engine) == {"held": 1, "no_recipient": 1}
    async with engine.begin() as connection:
        (kept,) = await quarantine.waiting(connection, 10)
        assert await quarantine.release(connection, [kept.id], NOW) == 1
    assert await relayed(engine) == []
    assert await states(engine) == {"superseded": 1, "no_recipient": 1}
    assert await unaccounted(engine) == 0
