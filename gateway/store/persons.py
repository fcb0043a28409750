"""Persons and the keys that lead to them."""

import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.identity.keys import Key, Rule
from gateway.identity.match import Known

# What else is known of a person matters only where a lane leads to them. Subqueries, and not joins, so that every plan
# goes by index, whatever the planner believes of the tables' sizes.
_KNOWN = text(
    """
    select k.key, k.rule, k.person_id,
           (select p.provisional from persons p where p.id = k.person_id) as provisional,
           case when k.rule = 'lane' then array(select x.rule from person_keys x where x.person_id = k.person_id) end
           as rules
    from person_keys k
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


async def read_known(connection: AsyncConnection, keys: Iterable[bytes], known: Known) -> None:
    """Add to `known` whoever these keys lead to."""
    for row in await connection.execute(_KNOWN, {"keys": list(keys)}):
        known.learn(Key(Rule(row.rule), row.key), row.person_id, provisional=row.provisional)
        for rule in row.rules or ():
            known.rules[row.person_id].add(Rule(rule))


async def lock_keys(connection: AsyncConnection, keys: Iterable[bytes]) -> None:
    """Wait for whoever else works with one of these keys, until the end of the transaction.

    Without it two transactions would each make a person of the same stranger. Locks are taken in order; one advisory
    lock a key, so `max_locks_per_transaction` bounds how many keys can be under way at once.
    """
    numbers = [int.from_bytes(key[:8], signed=True) for key in keys]
    await connection.execute(_LOCK_KEYS, {"numbers": numbers})


async def lock(connection: AsyncConnection, persons: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bool]:
    """Lock these persons' rows in id order, and tell of each that exists whether it is provisional."""
    rows = await connection.execute(_LOCK, {"ids": list(persons)})
    return {row.id: row.provisional for row in rows}
