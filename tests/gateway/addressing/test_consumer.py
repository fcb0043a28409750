"""Batches decided by the consumer, on a real PostgreSQL."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import stamina
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing import consumer as consumer_module
from gateway.addressing.address import Addressed, Arrived
from gateway.addressing.consumer import PATIENCE
from gateway.health import STALLED_AFTER, Progress
from gateway.settings import Store
from gateway.store import quarantine
from gateway.store.ledger import open_engine
from tests.support.consuming import Record, deciding, published, record_of, relayed, states, unaccounted
from tests.support.facts import NOW, SEALER

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


async def test_records_that_cannot_be_read_are_kept_and_their_neighbours_decided(engine: AsyncEngine) -> None:
    """A header that is no UTF-8, a key that is none, a body that does not open: each kept, every other decided."""
    good = [record_of(event) for event in await published(engine, 5)]
    good[1].headers = [(name, b"\xff\xfe" if name == "ce_id" else value) for name, value in good[1].headers]
    good[2].value = b"garbage that no key of ours sealed"
    good[3].key = b"not a lane"
    await deciding(engine).handle(good)
    assert await states(engine) == {"no_recipient": 2, "held": 1}
    async with engine.connect() as connection:
        kept = await quarantine.waiting(connection, 10)
    assert sorted(one.reason for one in kept) == ["ce_id_malformed", "key_malformed", "unreadable"]
    assert await unaccounted(engine) == 0


async def test_the_same_batch_again_has_no_second_effect(engine: AsyncEngine) -> None:
    """Offsets may be lost; ids are claimed once."""
    records = [record_of(event) for event in await published(engine, 20)]
    await deciding(engine).handle(records)
    before = await states(engine)
    await deciding(engine).handle(records)
    assert await states(engine) == before == {"no_recipient": 20}


async def test_a_poison_event_is_kept_after_three_tries_and_its_neighbours_flow(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event whose addressing raises stops nobody, is tried three times, and goes on when driven again."""
    events = await published(engine, 16)
    poison = events[7].envelope.id
    tried = []
    real = consumer_module.address

    async def failing(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if any(one.envelope.id == poison for one in batch):
            tried.append(len(batch))
            raise ZeroDivisionError
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", failing)
    await deciding(engine).handle([record_of(event) for event in events])
    assert await states(engine) == {"no_recipient": 15, "held": 1}
    assert tried.count(1) == PATIENCE + 1  # once as the last half, then each counted try
    monkeypatch.undo()
    async with engine.begin() as connection:
        (kept,) = await quarantine.waiting(connection, 10)
        assert (kept.event_id, kept.reason) == (poison, "poison")
        assert await quarantine.release(connection, [kept.id], NOW) == 1
    assert await unaccounted(engine) == 0
    (again,) = await relayed(engine)
    await deciding(engine).handle([record_of(again)])
    assert await states(engine) == {"no_recipient": 16}
    assert await unaccounted(engine) == 0


async def test_what_is_kept_again_while_it_is_driven_again_is_kept_and_accounted_for(engine: AsyncEngine) -> None:
    """Kafka gave a poison event twice: its second copy waits until the first is in line again, and is seen there."""
    (event,) = await published(engine, 1)

    async def keep(source: str) -> None:
        async with engine.begin() as connection:
            key, wrapped = SEALER.new_key(kept := uuid.uuid4())
            told = {"id": kept, "source": source, "event_id": event.envelope.id, "reason": "poison", "attempts": 3}
            await quarantine.put(connection, **told, wrapped=wrapped, sealed=key.seal(kept, b"bytes"), now=NOW)

    await keep("one")
    async with engine.begin() as connection:
        (first,) = await quarantine.waiting(connection, 10)
        await quarantine.release(connection, [first.id], NOW)
        second = asyncio.create_task(keep("two"))
        async with asyncio.timeout(20):
            while not await waits_for_a_lock(engine):
                assert not second.done()
    await second
    assert await states(engine) == {"held": 1}
    assert await unaccounted(engine) == 0


async def waits_for_a_lock(engine: AsyncEngine) -> bool:
    """Whether a session waits for another."""
    async with engine.connect() as connection:
        waiting = "select count(*) from pg_locks where not granted and locktype = 'advisory'"
        return bool((await connection.execute(text(waiting))).scalar_one())


async def test_after_a_run_that_died_each_record_is_counted_before_the_work(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that killed the process three times is put aside by the fourth run without being touched."""
    (event,) = await published(engine, 1)
    async with engine.begin() as connection:
        for _ in range(PATIENCE):
            await quarantine.count_try(connection, event.envelope.id)
        assert await quarantine.started(connection, "one", NOW)
        assert not await quarantine.started(connection, "one", NOW)
        await quarantine.stopped(connection, "one")
        assert await quarantine.started(connection, "one", NOW)

    async def touched(*_: object) -> Addressed:
        raise AssertionError("the event was worked on")

    monkeypatch.setattr(consumer_module, "address", touched)
    await deciding(engine, careful=True).handle([record_of(event)])
    assert await states(engine) == {"held": 1}


async def test_an_offset_that_kafka_gives_again_after_a_wipe_is_another_record(engine: AsyncEngine) -> None:
    """The same record twice is kept once; another one at its place, written later, is kept too."""
    headers = [("ce_id", b"\xff")]
    first, second = (Record(b"x", b"y", headers, offset=7, timestamp=time) for time in (1, 2))
    await deciding(engine).handle([first, first, second])
    async with engine.connect() as connection:
        assert len(await quarantine.waiting(connection, 10)) == 2


async def test_after_a_run_that_died_only_the_suspected_go_alone(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch the one that was under way in two deaths goes alone, its neighbours together, and all in order."""
    events = await published(engine, 5)
    async with engine.begin() as connection:
        await quarantine.count_tries(connection, [events[2].envelope.id])
        await quarantine.count_tries(connection, [events[2].envelope.id])
    real = consumer_module.address
    worked: list[list[Any]] = []

    async def noted(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        worked.append([one.envelope.id for one in batch])
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", noted)
    await deciding(engine, careful=True).handle([record_of(event) for event in events])
    ids = [event.envelope.id for event in events]
    assert worked == [ids[:2], ids[2:3], ids[3:]]
    async with engine.connect() as connection:
        assert await quarantine.tried(connection, ids) == {}


async def test_a_store_that_comes_back_finds_the_batch_still_waiting(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost connection is nobody's poison: the batch waits and is then decided whole."""
    events = await published(engine, 4)
    failures = iter([ConnectionResetError(), TimeoutError()])
    real = consumer_module.address

    async def flaky(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", flaky)
    await deciding(engine).handle([record_of(event) for event in events])
    assert await states(engine) == {"no_recipient": 4}
    async with engine.connect() as connection:
        assert await quarantine.waiting(connection, 10) == []


async def test_a_store_that_goes_away_again_and_again_makes_nobody_poison(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a run that died every try is counted, but a try the store interrupts goes on as the same one."""
    events = await published(engine, 3)
    failures = iter([ConnectionResetError() for _ in range(2 * PATIENCE)])
    real = consumer_module.address

    async def flaky(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", flaky)
    with stamina.set_testing(True, attempts=10 * PATIENCE):  # no waiting between attempts
        await deciding(engine, careful=True).handle([record_of(event) for event in events])
    assert await states(engine) == {"no_recipient": 3}
    async with engine.connect() as connection:
        assert await quarantine.waiting(connection, 10) == []
        assert await quarantine.tried(connection, [event.envelope.id for event in events]) == {}


async def test_a_batch_that_nobody_finishes_is_no_progress(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked whether it lives says no once a batch is in hand for too long, and yes again when it is done."""
    begun, goes_on = asyncio.Event(), asyncio.Event()
    address = consumer_module.address

    async def hanging(*given: Any) -> Addressed:
        begun.set()
        await goes_on.wait()
        return await address(*given)

    monkeypatch.setattr(consumer_module, "address", hanging)
    [event] = await published(engine, 1)
    consumer = deciding(engine)
    progress = Progress(lambda: consumer.in_hand, lambda: consumer.last_progress)
    late = NOW + STALLED_AFTER + timedelta(seconds=1)
    assert not progress.stalled(late)
    handling = asyncio.create_task(consumer.handle([record_of(event)]))
    await begun.wait()
    assert progress.stalled(late)
    assert not progress.stalled(NOW)
    goes_on.set()
    await handling
    assert not progress.stalled(late)
