"""Facts and journal entries for tests that do not care which agency they come from."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Held, Ignored
from gateway.intake.entry import Entry
from gateway.intake.journal import Journal
from gateway.sealing import BlindIndex, Sealer
from gateway.store.session import Kept
from gateway.telemetry import traceparent
from schemas.base import Fact, Moment, Person
from schemas.identifiers import Scheme, parse
from schemas.imprisonment import Received, ReceptionReason
from tests.support.canary import EVERYBODY

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
INDEX = BlindIndex(b"pepper" * 6)
SEALER = Sealer(b"k" * 32)
NAMESPACE = uuid.UUID("6a1c2c53-5f8e-4d55-9f0a-6f3f0d6f4c11")
SETTLE = timedelta(minutes=45)
SOMEBODY = EVERYBODY.person(1)


def reception(
    about: str = "one",
    *,
    prison: str = "LII",
    noms: str = SOMEBODY.noms,
    version: int | None = None,
    withdrawn: str | None = None,
    settles: bool = False,
    reverses: str | None = None,
) -> Fact:
    """A reception into a prison. Facts differ by their prison; `about` is the fact key."""
    event = Received(
        occurred=Moment(at=NOW),
        person=Person(identifiers=(parse(Scheme.NOMS, noms).identifier,)),
        prison=prison,
        reason=ReceptionReason.ADMISSION,
    )
    return Fact(
        key=about,
        lane=f"NOMS:{noms}",
        kind=event.kind,
        event=None if withdrawn else event,
        version=version,
        withdrawn=withdrawn,
        settles=settles,
        reverses=reverses,
    )


def entry(
    *facts: Fact,
    message: str | None = None,
    body: bytes | None = None,
    outcome: Accepted | Held | Ignored | None = None,
    sender: str = "lincoln-prison",
    received: datetime = NOW,
) -> Entry:
    """A record as the door hands it to the journal. message is the sender's id for it, a new one if not given."""
    told = body if body is not None else uuid.uuid4().bytes
    return Entry(
        sender=sender,
        agency="prison",
        transport=INDEX.of("transport", f"{sender}|{message or uuid.uuid4().hex}"),
        body_hash=INDEX.of("body", told),
        body=told,
        media_type="application/json",
        received=received,
        outcome=outcome if outcome is not None else Accepted(facts),
        trace=traceparent(None),
    )


def journal(engine: AsyncEngine, now: datetime = NOW, kept: Kept | None = None, **options: timedelta) -> Journal:
    """A journal whose clock stands still, with a session kept for it or none. Use `commit`, or run it."""
    return Journal(
        engine,
        index=INDEX,
        sealer=SEALER,
        namespace=NAMESPACE,
        clock=lambda: now,
        settle=SETTLE,
        max_batch=100,
        published=lambda _: None,
        sessions=kept.session if kept is not None else None,
        **options,
    )
