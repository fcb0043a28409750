"""How one fact stands: what its newest event was, and whether something of its person still waits to be translated."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_STANDING = text(
    """
    select exists (select from records where sender = :sender and transport = :transport) as sent,
           f.digest, f.version, e.change = 'retraction' as withdrawn,
           f.key is null and exists (
               select from records where sender = :sender and lane = :lane and state in ('held', 'waiting')
           ) as may_yet_be_told
    from (select) as always left join facts f on f.key = :fact left join events e on e.id = f.event_id
    """
)

_HEAD = text(
    """
    select f.digest, f.version, e.change = 'retraction' as withdrawn
    from facts f join events e on e.id = f.event_id where f.key = :fact
    """
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest event of a fact. digest: keyed hash of what it told. withdrawn: it took the fact back."""

    digest: bytes
    version: int | None
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a fact stands for a sender that tells it.

    sent: a record of the sender's already has this transport id. head: the fact's newest event. may_yet_be_told:
    nothing is told of the fact, and a record of the same sender and lane is held or waiting, which may tell it.
    """

    sent: bool
    head: Head | None
    may_yet_be_told: bool


async def standing(connection: AsyncConnection, *, sender: str, transport: bytes, fact: bytes, lane: bytes) -> Standing:
    """How this fact stands at this moment; nothing is locked."""
    row = (
        await connection.execute(_STANDING, {"sender": sender, "transport": transport, "fact": fact, "lane": lane})
    ).one()
    head = Head(row.digest, row.version, row.withdrawn) if row.digest is not None else None
    return Standing(sent=row.sent, head=head, may_yet_be_told=row.may_yet_be_told)


async def head(connection: AsyncConnection, fact: bytes) -> Head | None:
    """The newest event of a fact, or None."""
    row = (await connection.execute(_HEAD, {"fact": fact})).one_or_none()
    return Head(row.digest, row.version, row.withdrawn) if row is not None else None
