"""`lgw redrive`: run a held or quarantined thing again after a fix. The same decision again has no second effect."""

import enum
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Adapter, Held, Ignored, Message, Refused
from gateway.addressing.address import Tools
from gateway.addressing.redrive import redrive as decide_again
from gateway.intake.door import attributes
from gateway.intake.entry import Entry, filling_id
from gateway.intake.journal import Journal
from gateway.kafka.relay import notify
from gateway.sealing import Sealer
from gateway.store import fillings, quarantine
from gateway.store.data_keys import open_body
from gateway.store.mailboxes import CHANNEL
from gateway.store.session import transaction

_RECORD = text(
    """
    select id, sender, agency, transport, body_hash, media_type, received, trace, file_id, "row" from records
    where id = :id and state in ('held', 'waiting')
    """
)

_PARKED = text(
    """
    with again as (
        update deliveries set state = 'queued', reason = null, owner = null, due = null, next = :now
        where id = :id and state = 'parked' returning recipient, position, person_id
    )
    insert into queued (recipient, position, person_id) select recipient, position, person_id from again
    returning recipient
    """
)

_REJECTED = text("select exists (select from deliveries where id = :id and state = 'rejected' and owner is not null)")

_ANNOUNCE = text("select pg_notify(:channel, :recipient)")

_KIND = text(
    """
    select case
        when exists (select from records where id = :id) then 'record'
        when exists (select from quarantine where id = :id) then 'quarantine'
        when exists (select from deliveries where id = :id) then 'delivery'
        when exists (select from events where id = :id) then 'event'
    end
    """
)


class Result(enum.StrEnum):
    """What became of one id."""

    DONE = "done"
    STILL_STOPPED = "still stopped"
    NOT_STOPPED = "not stopped"
    UNKNOWN = "unknown"
    ERASED = "erased"
    ASKED_AGAIN = "asked for again"
    """A pointer: its source is asked again, from the first try."""


class Redrive:
    """Drives things again by their ids, whatever kind they are."""

    def __init__(
        self, engine: AsyncEngine, adapters: Mapping[str, Adapter], journal: Journal, sealer: Sealer, tools: Tools
    ) -> None:
        self._engine = engine
        self._adapters = adapters
        self._journal = journal
        self._sealer = sealer
        self._tools = tools

    async def run(self, ids: Sequence[uuid.UUID], now: datetime) -> dict[uuid.UUID, Result]:
        """Drive each again, in the order given, and wake who has to act."""
        results = {one: await self._one(one, now) for one in ids}
        await notify(self._engine)
        return results

    async def _one(self, wanted: uuid.UUID, now: datetime) -> Result:
        async with self._engine.begin() as connection:
            kind = (await connection.execute(_KIND, {"id": wanted})).scalar_one()
        match kind:
            case "record":
                return await self._record(wanted, now)
            case "quarantine":
                async with self._engine.begin() as connection:
                    freed = await quarantine.release(connection, [wanted], now)
                return Result.DONE if freed else Result.NOT_STOPPED
            case "delivery":
                return await self._delivery(wanted, now)
            case "event":
                async with transaction(self._engine) as session:
                    again = await decide_again(session, [wanted], now, self._tools)
                return Result.DONE if again.states else Result.STILL_STOPPED
            case _:
                return Result.UNKNOWN

    async def _record(self, wanted: uuid.UUID, now: datetime) -> Result:
        async with self._engine.connect() as connection:
            row = (await connection.execute(_RECORD, {"id": wanted})).first()
            if row is None:
                return Result.NOT_STOPPED
            # What its source answered once is not asked for again.
            opened = await open_body(connection, self._sealer, wanted, filling_id(wanted)) or await open_body(
                connection, self._sealer, wanted
            )
        if opened is None:
            return Result.ERASED
        body, key = opened
        adapter = self._adapters[row.agency]
        party = self._tools.parties.party(row.sender)
        outcome = adapter.read(Message(body, row.media_type, row.received, attributes(party) if party else {}))
        match outcome:
            case Accepted():
                entry = Entry(
                    sender=row.sender,
                    agency=row.agency,
                    transport=row.transport,
                    body_hash=row.body_hash,
                    body=body,
                    media_type=row.media_type,
                    received=row.received,
                    outcome=outcome,
                    trace=row.trace,
                    file_id=row.file_id,
                    row=row.row,
                )
                return Result.DONE if await self._journal.redrive(wanted, entry, key) else Result.NOT_STOPPED
            case Held("pointer_not_filled") if adapter.fetch is not None:
                async with self._engine.begin() as connection:
                    asked = await fillings.ask_again(connection, wanted, now)
                return Result.ASKED_AGAIN if asked else Result.NOT_STOPPED
            case Held() | Ignored() | Refused():
                return Result.STILL_STOPPED

    async def _delivery(self, wanted: uuid.UUID, now: datetime) -> Result:
        async with self._engine.begin() as connection:
            recipient = (await connection.execute(_PARKED, {"id": wanted, "now": now})).scalars().first()
            if recipient is None:
                # What its recipient has rejected waits for a person; the same again would only be rejected again.
                rejected = (await connection.execute(_REJECTED, {"id": wanted})).scalar_one()
                return Result.STILL_STOPPED if rejected else Result.NOT_STOPPED
            await connection.execute(_ANNOUNCE, {"channel": CHANNEL, "recipient": recipient})
        return Result.DONE
