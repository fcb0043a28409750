"""Series of files and records that are numbered without a gap: how far each is, and which has the next number."""

import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_NUMBER = text(
    """
    insert into file_series as s (sender, agency, series, taking) values (:sender, :agency, :series, :file_id)
    on conflict (sender, agency, series) do update set
        taking = case when s.taking is null and (s.last is null or s.last + 1 = :number)
                      then excluded.taking else s.taking end
    returning last, taking
    """
)
"""Gives the file its number if that is the next, and no other file has it."""

_NUMBERED = text("update file_series set last = :number, taking = null where taking = :file_id")

_LET_GO = text("update file_series set taking = null where taking = :file_id")

_IS_TAKEN = text("select exists (select from records where sender = :sender and transport = :transport)")

_ALL = text("select sender, agency, series, last, taking from file_series order by sender, agency, series")

_EXPECT = text(
    """
    with before as (
        select sender, agency, series, last, taking from file_series
        where sender = :sender and series = :series for update
    )
    update file_series s set last = :last, taking = null from before b
    where s.sender = b.sender and s.agency = b.agency and s.series = b.series
    returning b.sender, b.agency, b.series, b.last, b.taking
    """
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a series stands. last: the number taken last, if any. taking: the file that has the next, if one has."""

    last: int | None
    taking: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series of one sender's feed, as the sender names it, and how it stands."""

    sender: str
    agency: str
    series: str
    last: int | None
    taking: uuid.UUID | None


async def number(
    connection: AsyncConnection, file_id: uuid.UUID, *, sender: str, agency: str, series: str, number: int
) -> Standing:
    """Give a file its number in a series, if it is the next; how the series stands then."""
    told = {"file_id": file_id, "sender": sender, "agency": agency, "series": series, "number": number}
    row = (await connection.execute(_NUMBER, told)).one()
    return Standing(row.last, row.taking)


async def numbered(connection: AsyncConnection, file_id: uuid.UUID, number: int) -> None:
    """Write that the file of this number was taken, so that the next is expected."""
    await connection.execute(_NUMBERED, {"file_id": file_id, "number": number})


async def let_go(connection: AsyncConnection, file_id: uuid.UUID) -> None:
    """Write that nothing of what had a number was taken, so that another may have it."""
    await connection.execute(_LET_GO, {"file_id": file_id})


async def is_taken(connection: AsyncConnection, sender: str, transport: bytes) -> bool:
    """Whether a record of this sender was taken under this message id."""
    told = {"sender": sender, "transport": transport}
    taken: bool = (await connection.execute(_IS_TAKEN, told)).scalar_one()
    return taken


async def every(connection: AsyncConnection) -> list[SeriesRow]:
    """Every series of every sender."""
    return [SeriesRow(*row) for row in await connection.execute(_ALL)]


async def expect(connection: AsyncConnection, sender: str, series: str, number: int) -> list[SeriesRow]:
    """Expect this number next, whatever was taken before; how the series stood. Empty where there is no such series.

    A file that was begun keeps the rows that are taken, and its number no longer.
    """
    rows = await connection.execute(_EXPECT, {"sender": sender, "series": series, "last": number - 1})
    return [SeriesRow(*row) for row in rows]
