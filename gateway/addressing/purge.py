"""Forgetting what was nobody's business: the content of records that no LASARS was owed."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

KEPT = timedelta(days=30)
"""How long content is kept after the decision that nobody is owed it."""

# A record goes when every event of it has ended without a recipient, the last of them long enough ago, and nothing of
# it was ever delivered. What was late or taken back before it was published has no recipient either.
_PURGE = text(
    """
    with old as (
        select d.record_id, d.event_id, d.number from decisions d
        where d.state = 'no_recipient' and d.purged is null and d.decided <= :before
        order by d.decided limit :most
    ),
    done as (
        select distinct o.record_id from old o
        where not exists (
            select from events e
            left join lateral (
                select d.state, d.decided from decisions d where d.record_id = e.record_id and d.event_id = e.id
                order by d.number desc limit 1
            ) last on true
            where e.record_id = o.record_id
              and (last.state is null or last.state not in ('no_recipient', 'superseded', 'suppressed')
                   or last.decided > :before)
        )
        and not exists (select from deliveries x where x.record_id = o.record_id)
    ),
    marked as (
        update decisions d set purged = :now from old o
        where d.record_id = o.record_id and d.event_id = o.event_id and d.number = o.number
    ),
    dark as (
        delete from data_keys k using done where k.record_id = done.record_id returning k.record_id
    ),
    emptied as (
        delete from bodies b using done where b.record_id = done.record_id
    )
    select count(*) from dark
    """
)


async def purge(connection: AsyncConnection, now: datetime, most: int = 10_000) -> int:
    """Destroy the keys and bodies of such records, at most so many decisions at a time; how many records went.

    The decisions stay. What identity and placement kept is reduced evidence with a key of its own, and stays too.
    """
    result = await connection.execute(_PURGE, {"before": now - KEPT, "now": now, "most": most})
    return int(result.scalar_one())
