"""One delivery that is queued, as the courier needs it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivery:
    """What addressing owes a recipient, as it was read.

    position: in the recipient's mailbox. attempts: made so far. next: not to be tried before. tried: when the first of
    them was made. trace: a W3C traceparent. sealed: the body, None where only a notice is sent. wrapped: the key that
    opens it, None where it was destroyed. read: when all this was read.
    """

    id: UUID
    recipient: str
    position: int
    person_id: UUID
    record_id: UUID
    kind: str
    change: str
    role: str
    created: datetime
    trace: str | None
    attempts: int
    next: datetime | None
    tried: datetime | None
    sealed: bytes | None
    wrapped: bytes | None
    read: datetime = field(kw_only=True)
