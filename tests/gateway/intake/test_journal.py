"""The journal on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Held, Ignored
from gateway.errors import JournalUnavailable, Unwritable
from gateway.intake.entry import Clash, Taken
from gateway.operations.reconcile import reconcile
from gateway.settings import Store
from gateway.store.data_keys import open_body
from gateway.store.ledger import open_engine
from gateway.store.session import Kept
from tests.support.facts import SEALER, entry, journal, reception


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres, pool=12))
    yield engine
    await engine.dispose()


async def rows(engine: AsyncEngine, statement: str) -> list[tuple[object, ...]]:
    """What a statement gives."""
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def test_a_record_is_stored_sealed_with_its_event_and_outbox_row(engine: AsyncEngine) -> None:
    """One commit leaves the record, its event, its place in line and sealed bodies, and the bytes come back as sent."""
    (taken,) = await journal(engine).commit([entry(reception(), body=b"as received")])
    assert isinstance(taken, Taken)
    assert await rows(engine, "select state, events from records") == [("translated", 1)]
    assert await rows(engine, "select count(*) from outbox o join events e on e.id = o.event_id") == [(1,)]
    assert await rows(engine, "select count(*) from bodies where position('as received' in sealed) > 0") == [(0,)]
    async with engine.connect() as connection:
        opened = await open_body(connection, SEALER, taken.record_id)
    assert opened is not None
    assert opened[0] == b"as received"


async def test_the_same_message_has_one_effect_and_the_first_receipt(engine: AsyncEngine) -> None:
    """Same id and body: the first receipt again, in one batch or in a later one."""
    one = entry(reception(), message="m1", body=b"x")
    first, second = await journal(engine).commit([one, one])
    (third,) = await journal(engine).commit([one])
    assert isinstance(first, Taken)
    assert second == third == Taken(first.record_id, "translated", repeat=True)
    assert await rows(engine, "select count(*) from events") == [(1,)]


async def test_the_same_id_with_another_body_is_a_clash_and_stores_nothing(engine: AsyncEngine) -> None:
    """A reused message id is answered with the first receipt's id, and nothing of the second body is kept."""
    (first,) = await journal(engine).commit([entry(reception(), message="m1", body=b"x")])
    (clash,) = await journal(engine).commit([entry(reception(prison="NSI"), message="m1", body=b"y")])
    assert isinstance(first, Taken)
    assert clash == Clash(first.record_id)
    assert await rows(engine, "select count(*) from records") == [(1,)]


async def test_the_same_fact_by_another_message_is_a_repeat(engine: AsyncEngine) -> None:
    """A re-sent record under a new id is a record of its own and tells no new event."""
    await journal(engine).commit([entry(reception())])
    await journal(engine).commit([entry(reception())])
    assert await rows(engine, "select events, repeats from records order by repeats") == [(1, 0), (0, 1)]


async def test_a_fact_is_its_senders(engine: AsyncEngine) -> None:
    """Another party that speaks of the same fact corrects nothing and takes nothing back: it tells one of its own."""
    await journal(engine).commit([entry(reception(prison="LII"))])
    await journal(engine).commit([entry(reception(prison="NSI"), sender="another-prison")])
    await journal(engine).commit([entry(reception(prison="WDI"))])
    assert await rows(engine, "select change, count(*), count(distinct fact) from events group by 1 order by 1") == [
        ("correction", 1, 1),
        ("fact", 2, 2),
    ]


async def test_held_and_ignored_records_are_kept_as_such(engine: AsyncEngine) -> None:
    """A held record keeps its bytes and an owner; of an ignored one only the name of its kind stays."""
    await journal(engine).commit(
        [entry(outcome=Held("code_not_mapped", ())), entry(outcome=Ignored("prison.cell-move"))]
    )
    assert await rows(engine, "select state, reason, owner from records order by state") == [
        ("held", "code_not_mapped", "operations"),
        ("ignored", "prison.cell-move", None),
    ]
    assert await rows(engine, "select count(*) from bodies") == [(1,)]


async def test_a_late_statement_told_twice_is_one_event(engine: AsyncEngine) -> None:
    """An older version is kept as superseded, once."""
    await journal(engine).commit([entry(reception(version=2))])
    for _ in range(2):
        await journal(engine).commit([entry(reception(prison="NSI", version=1))])
    assert await rows(engine, "select state, reason from decisions") == [("superseded", "older_than_head")]
    assert await rows(engine, "select count(*) from outbox") == [(1,)]
    async with engine.connect() as connection:
        assert (await reconcile(connection)).unaccounted == 0


async def test_a_reversal_in_another_transaction_suppresses_what_settles(engine: AsyncEngine) -> None:
    """Inside the settling time nothing is left to publish, and both events are accounted for."""
    await journal(engine).commit([entry(reception("one", settles=True))])
    await journal(engine).commit([entry(reception("two", settles=True, reverses="imprisonment.received"))])
    assert await rows(engine, "select count(*) from outbox") == [(0,)]
    assert await rows(engine, "select distinct state from decisions") == [("suppressed",)]
    async with engine.connect() as connection:
        assert (await reconcile(connection)).unaccounted == 0


async def test_eight_journals_at_once_number_every_lane_in_the_order_of_its_chain(engine: AsyncEngine) -> None:
    """Concurrent writers of the same facts make one chain each, and sequence numbers follow the chains."""
    prisons = ("LII", "NSI", "WDI", "NHI")

    async def write(writer: int) -> None:
        own = journal(engine)
        for turn in range(6):
            prison = prisons[(writer + turn) % 4]
            await own.commit([entry(reception(about, prison=prison)) for about in ("one", "two", "three")])

    await asyncio.gather(*(write(writer) for writer in range(8)))
    broken = await rows(
        engine,
        "select count(*) from events e join events p on p.id = e.supersedes where p.seq >= e.seq or p.fact <> e.fact",
    )
    forks = await rows(
        engine, "select count(*) from (select supersedes from events group by fact, supersedes having count(*) > 1) x"
    )
    assert (broken, forks) == ([(0,)], [(0,)])
    async with engine.connect() as connection:
        assert (await reconcile(connection)).unaccounted == 0


async def test_a_store_that_is_away_is_said_and_nothing_is_taken(postgres: str) -> None:
    """With no PostgreSQL to reach, the caller learns that the record was not accepted."""
    nowhere = open_engine(Store(dsn="postgresql+asyncpg://127.0.0.1:9/gateway"))
    own = journal(nowhere)
    task = asyncio.create_task(own.run())
    with pytest.raises(JournalUnavailable):
        await own.take(entry(reception()))
    task.cancel()
    await nowhere.dispose()


async def test_a_store_that_hangs_keeps_nobody_waiting(engine: AsyncEngine) -> None:
    """Who waits, and who comes meanwhile, is told to come again; come again, each is taken once."""
    own = journal(engine, patience=timedelta(seconds=0.2))
    first, second = entry(reception("fact 1"), message="m1"), entry(reception("fact 2"), message="m2")
    task = asyncio.create_task(own.run())
    async with engine.begin() as connection:
        await connection.execute(text("lock table records in access exclusive mode"))
        with pytest.raises(JournalUnavailable):
            await own.take(first)
        with pytest.raises(JournalUnavailable):
            await own.take(second)
        assert own.waiting == 0
    taken = [await own.take(one) for one in (first, second, second)]
    assert all(isinstance(one, Taken) for one in taken)
    assert await rows(engine, "select count(*), sum(events) from records") == [(2, 2)]
    task.cancel()


async def test_a_record_that_cannot_be_written_is_told_apart_from_a_journal_that_is_away(engine: AsyncEngine) -> None:
    """What no column holds is a fault of its own record: its neighbours of the same batch are committed."""
    committing = journal(engine)
    running = asyncio.create_task(committing.run())
    entries = [entry(reception()), entry(reception(version=2**63)), entry(reception(prison="NSI"))]
    try:
        first, wrong, last = await asyncio.gather(*map(committing.take, entries), return_exceptions=True)
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert isinstance(wrong, Unwritable)
    assert isinstance(first, Taken)
    assert isinstance(last, Taken)


async def test_waiting_entries_are_committed_together(engine: AsyncEngine) -> None:
    """Whatever gathers while a commit is under way goes into the next one; everybody gets an own answer."""
    own = journal(engine)
    task = asyncio.create_task(own.run())
    taken = await asyncio.gather(*(own.take(entry(reception(f"fact {n}"))) for n in range(250)))
    task.cancel()
    assert len({one.record_id for one in taken}) == 250
    assert await rows(engine, "select count(*) from outbox") == [(250,)]


async def test_a_kept_session_that_is_lost_is_replaced(engine: AsyncEngine) -> None:
    """What is committed after the server ended the journal's session is committed once; nobody starts anything anew."""
    entries = [entry(reception(f"fact {n}", noms=f"A{n:04}BC"), message=f"m{n}") for n in range(3)]
    async with aclosing(Kept(engine)) as kept:
        own = journal(engine, kept=kept)
        await own.commit(entries[:1])
        await own.commit(entries[1:2])
        others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        assert await rows(engine, f"select count(pg_terminate_backend(pid)) {others}") == [(1,)]
        async with asyncio.timeout(20):
            while True:
                with suppress(JournalUnavailable):
                    await own.commit(entries)
                    break
    assert await rows(engine, "select count(*), sum(events) from records") == [(3, 3)]
