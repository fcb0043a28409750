"""Which message `lgw trace` was asked for: by an id of ours, or by what its sender calls it.

Of a sender's own id only a keyed hash is kept.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.intake.entry import transport_of
from gateway.operations.trace import Journey, read_journey
from gateway.operations.trace_file import FileTraced, read_file
from gateway.sealing import BlindIndex

_TAKEN = text(
    """
    select id from records where sender = :sender and transport = :transport
    union select id from files where sender = :sender and transport = :transport
    """
)

_REFUSED = text(
    """
    select id, sender, agency, received, findings from refusals
    where sender = :sender and transport = :transport and file_id is null order by received desc limit 1
    """
)

_REFUSAL = text("select id, sender, agency, received, findings from refusals where id = :id")


@dataclass(frozen=True, slots=True)
class RefusalTraced:
    """What was refused at the door: nothing of it was taken. rules: what it broke."""

    id: uuid.UUID
    sender: str
    agency: str
    received: datetime
    rules: tuple[str, ...]

    def lines(self) -> list[str]:
        """That it came, and that it was refused."""
        at = self.received.strftime("%H:%M:%S.%f")[:-3]
        return [
            f"{'received':<13}{at:>14}  {self.agency}/{self.sender}",
            f"{'refused':<13}{'':>14}  {', '.join(self.rules)}; nothing of it was taken",
        ]

    def as_json(self) -> Mapping[str, Any]:
        """The same as plain data."""
        return {
            "refusal": str(self.id),
            "sender": self.sender,
            "agency": self.agency,
            "received": self.received.isoformat(),
            "state": "refused",
            "rules": list(self.rules),
        }


Traced = Journey | FileTraced | RefusalTraced


async def read_any(connection: AsyncConnection, wanted: uuid.UUID) -> Traced | None:
    """What this id of ours belongs to: a record's journey, a file or a refusal; None if there is none."""
    return (
        await read_journey(connection, wanted)
        or await read_file(connection, wanted)
        or _refusal((await connection.execute(_REFUSAL, {"id": wanted})).one_or_none())
    )


async def read_sent(connection: AsyncConnection, index: BlindIndex, sender: str, message_id: str) -> Traced | None:
    """What a party sent under this id of its own: what was taken, else what was refused last; None if nothing came."""
    told = {"sender": sender, "transport": transport_of(index, sender, message_id)}
    taken = (await connection.execute(_TAKEN, told)).scalars().first()
    if taken is not None:
        return await read_any(connection, taken)
    return _refusal((await connection.execute(_REFUSED, told)).one_or_none())


def _refusal(row: Any) -> RefusalTraced | None:
    if row is None:
        return None
    rules = tuple(sorted({finding["rule"] for finding in row.findings}))
    return RefusalTraced(row.id, row.sender, row.agency, row.received, rules)
