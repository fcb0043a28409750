"""Persons and the keys that lead to them."""

import uuid
from collections.abc import Iterable, Mapping

from gateway.identity.keys import Key, Rule
from gateway.identity.match import Known
from gateway.store.session import Session
from gateway.store.statement import Statement

# What else is known of a person matters only where a lane leads to them. Subqueries, and not joins, so that every plan
# goes by index, whatever the planner believes of the tables' sizes.
_KNOWN = Statement(
    """
    select k.key, k.rule, k.person_id,
           (select p.provisional from persons p where p.id = k.person_id) as provisional,
           case when k.rule = 'lane' then array(select x.rule from person_keys x where x.person_id = k.person_id) end
           as rules
    from person_keys k
    where k.key = any(cast(:keys as bytea[]))
    """
)

_LOCK_KEYS = Statement(
    """
    select count(pg_advisory_xact_lock(k.number))
    from (select number from unnest(cast(:numbers as bigint[])) as t(number) order by number) k
    """
)

_LOCK = Statement(
    """
    select id, provisional from persons where id = any(cast(:ids as uuid[])) order by id for update
    """
)


async def read_known(session: Session, keys: Iterable[bytes], known: Known) -> None:
    """Add to `known` whoever these keys lead to."""
    for key, rule, person, provisional, others in await session.rows(_KNOWN, {"keys": list(keys)}):
        known.learn(Key(Rule(rule), key), person, provisional=provisional)
        for other in others or ():
            known.rules[person].add(Rule(other))


async def lock_keys(session: Session, keys: Iterable[bytes]) -> None:
    """Wait for whoever else works with one of these keys, until the end of the transaction.

    Without it two transactions would each make a person of the same stranger. Locks are taken in order; one advisory
    lock a key, so `max_locks_per_transaction` bounds how many keys can be under way at once.
    """
    numbers = [int.from_bytes(key[:8], signed=True) for key in keys]
    await session.rows(_LOCK_KEYS, {"numbers": numbers})


async def lock(session: Session, persons: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bool]:
    """Lock these persons' rows in id order, and tell of each that exists whether it is provisional."""
    return dict(await session.rows(_LOCK, {"ids": list(persons)}))
