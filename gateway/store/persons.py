"""Persons and the keys that lead to them."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.identity.keys import Key, Rule
from gateway.identity.match import Known
from gateway.store.arrays import arrays

# What else is known of a person matters only where a lane leads to them.
_KNOWN = text(
    """
    select k.key, k.rule, k.person_id, p.provisional,
           case when k.rule = 'lane' then array(select distinct x.rule from person_keys x where x.person_id = p.id) end
           as rules
    from person_keys k join persons p on p.id = k.person_id
    where k.key = any(cast(:keys as bytea[]))
    """
)

_LOCK_KEYS = text(
    """
    select count(pg_advisory_xact_lock(k.number))
    from (select number from unnest(cast(:numbers as bigint[])) as t(number) order by number) k
    """
)

_LOCK = text(
    """
    select id, provisional from persons where id = any(cast(:ids as uuid[])) order by id for update
    """
)

_INSERT = text(
    """
    insert into persons (id, created, provisional)
    select id, :now, provisional
    from unnest(cast(:ids as uuid[]), cast(:provisional as boolean[])) as t(id, provisional)
    """
)

_INSERT_KEYS = text(
    """
    insert into person_keys (key, person_id, rule, event_id, known)
    select key, person_id, rule, event_id, :now
    from unnest(cast(:keys as bytea[]), cast(:persons as uuid[]), cast(:rules as text[]), cast(:events as uuid[]))
         as t(key, person_id, rule, event_id)
    on conflict (key, person_id) do nothing
    """
)


async def read_known(connection: AsyncConnection, keys: Iterable[bytes], known: Known) -> None:
    """Add to `known` whoever these keys lead to."""
    for row in await connection.execute(_KNOWN, {"keys": list(keys)}):
        known.learn(Key(Rule(row.rule), row.key), row.person_id, provisional=row.provisional)
        for rule in row.rules or ():
            known.rules[row.person_id].add(Rule(rule))


async def lock_keys(connection: AsyncConnection, keys: Iterable[bytes]) -> None:
    """Wait for whoever else meets these keys for the first time, until the end of the transaction.

    Without it two transactions would each make a person of the same stranger. Locks are taken in order; one advisory
    lock a key, so `max_locks_per_transaction` bounds how many unknown keys can be under way at once.
    """
    numbers = [int.from_bytes(key[:8], signed=True) for key in set(keys)]
    await connection.execute(_LOCK_KEYS, {"numbers": numbers})


async def lock(connection: AsyncConnection, persons: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bool]:
    """Lock these persons' rows in id order, and tell of each that exists whether it is provisional."""
    rows = await connection.execute(_LOCK, {"ids": list(persons)})
    return {row.id: row.provisional for row in rows}


async def insert(connection: AsyncConnection, rows: Sequence[tuple[uuid.UUID, bool]], now: datetime) -> None:
    """New persons: id, and whether they only stand in until a match is decided."""
    await connection.execute(_INSERT, {**arrays("ids provisional", rows), "now": now})


async def insert_keys(
    connection: AsyncConnection, rows: Sequence[tuple[bytes, uuid.UUID, str, uuid.UUID]], now: datetime
) -> None:
    """Keys newly known: key, person, rule, and the event that told it."""
    await connection.execute(_INSERT_KEYS, {**arrays("keys persons rules events", rows), "now": now})
