"""Deliveries as addressing leaves them, and an engine to put them in."""

import itertools
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.sealing import Sealer, Secrets, Signer
from gateway.settings import Store
from gateway.store.ledger import open_engine
from gateway.store.session import transaction
from gateway.store.statement import Statement

SECRETS = Secrets.generate()
SEALER = Sealer(SECRETS.kek)
SIGNER = Signer(SECRETS.signing)
PERSONS = uuid.UUID("5d0c0c1e-5e0b-4b0e-9e55-1f1f1f1f1f1f")

_GIVE = Statement(
    """
    with given as (
        insert into mailboxes (recipient, last)
        select * from unnest(cast(:recipients as text[]), cast(:counts as bigint[])) order by 1
        on conflict (recipient) do update set last = mailboxes.last + excluded.last
        returning recipient, last
    ), told as (
        select pg_notify('deliveries', recipient || ' ' || last) from given
    )
    select recipient, last from given where (select count(*) from told) > 0
    """
)

_INSERT = Statement(
    """
    with keyed as (
        insert into data_keys (record_id, wrapped) select * from unnest(
            cast(:records as uuid[]), cast(:wrapped as bytea[]))
    ), bodied as (
        insert into bodies (id, record_id, sealed) select * from unnest(
            cast(:ids as uuid[]), cast(:records as uuid[]), cast(:sealed as bytea[]))
    ), waiting as (
        insert into queued (recipient, position, person_id) select * from unnest(
            cast(:recipients as text[]), cast(:positions as bigint[]), cast(:persons as uuid[]))
    )
    insert into deliveries (id, recipient, position, person_id, event_id, record_id, case_id, decision, role, kind,
                            change, agreement, state, created)
    select id, recipient, position, person, gen_random_uuid(), record, case_id, 1, 'home', kind, 'fact', 'test@1',
           'queued', created
    from unnest(cast(:ids as uuid[]), cast(:recipients as text[]), cast(:positions as bigint[]),
                cast(:persons as uuid[]), cast(:records as uuid[]), cast(:cases as uuid[]), cast(:kinds as text[]),
                cast(:created as timestamptz[]))
         as t (id, recipient, position, person, record, case_id, kind, created)
    """
)


@dataclass(frozen=True, slots=True)
class Owed:
    """One delivery to queue: to whom, about which of some persons (a number), and its version for that person."""

    recipient: str
    person: int
    version: int = 1
    kind: str = "custody.drug-test.recorded"
    case: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """A delivery that was queued."""

    id: uuid.UUID
    owed: Owed
    position: int
    person_id: uuid.UUID
    body: bytes


def person_of(number: int) -> uuid.UUID:
    """The id of one of some persons."""
    return uuid.uuid5(PERSONS, str(number))


@asynccontextmanager
async def engine_of(dsn: str, *, pool: int = 8) -> AsyncIterator[AsyncEngine]:
    """An engine as a process would open it."""
    engine = open_engine(Store(dsn=dsn, pool=pool))
    try:
        yield engine
    finally:
        await engine.dispose()


async def queue(engine: AsyncEngine, owed: Iterable[Owed], *, created: datetime | None = None) -> list[Queued]:
    """Queue deliveries in one transaction, as addressing does: positions are given out last."""
    owed = list(owed)
    counts: dict[str, int] = {}
    for one in owed:
        counts[one.recipient] = counts.get(one.recipient, 0) + 1
    when = created or datetime.now(UTC)
    async with transaction(engine) as session:
        last = dict(await session.rows(_GIVE, {"recipients": list(counts), "counts": list(counts.values())}))
        given = {name: itertools.count(last[name] - count + 1) for name, count in counts.items()}
        made = [_queued(one, next(given[one.recipient])) for one in owed]
        records = [uuid.uuid4() for _ in made]
        keys = [SEALER.new_key(record) for record in records]
        await session.run(
            _INSERT,
            {
                "ids": [one.id for one in made],
                "records": records,
                "wrapped": [wrapped for _, wrapped in keys],
                "sealed": [key.seal(one.id, one.body) for one, (key, _) in zip(made, keys, strict=True)],
                "recipients": [one.owed.recipient for one in made],
                "positions": [one.position for one in made],
                "persons": [one.person_id for one in made],
                "cases": [one.owed.case for one in made],
                "kinds": [one.owed.kind for one in made],
                "created": [when for _ in made],
            },
        )
    return made


def _queued(owed: Owed, position: int) -> Queued:
    made = uuid.uuid4()
    body = orjson.dumps({"id": made, "kind": owed.kind, "person": f"P-{owed.person}", "version": owed.version})
    return Queued(made, owed, position, person_of(owed.person), body)


async def states(engine: AsyncEngine, ids: Sequence[uuid.UUID] | None = None) -> dict[uuid.UUID, str]:
    """The state of these deliveries, or of all."""
    sql = "select id, state from deliveries where cast(:ids as uuid[]) is null or id = any(cast(:ids as uuid[]))"
    async with engine.connect() as connection:
        rows = await connection.execute(text(sql), {"ids": None if ids is None else list(ids)})
        return {row.id: row.state for row in rows}


async def run_sql(engine: AsyncEngine, sql: str, **told: Any) -> list[Any]:
    """Run a statement of the test's own, and give its rows if it has any."""
    async with engine.begin() as connection:
        result = await connection.execute(text(sql), told)
        return list(result.all()) if result.returns_rows else []
