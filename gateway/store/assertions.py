"""Client assertions that were used: each serves once, over all processes."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_CLAIM = text(
    """
    with forgotten as (
        delete from assertions
        where (client, id) in (select client, id from assertions where expires < :now order by expires limit 100)
    )
    insert into assertions (client, id, expires) values (:client, :id, :expires)
    on conflict do nothing
    returning client
    """
)
"""Uses an assertion, and forgets some whose time is long past; no row when it was used before."""


async def claim(engine: AsyncEngine, client: str, assertion: bytes, expires: datetime, now: datetime) -> bool:
    """Use an assertion. False when it was used before."""
    async with engine.begin() as connection:
        told = {"client": client, "id": assertion, "expires": expires, "now": now}
        return (await connection.execute(_CLAIM, told)).first() is not None
