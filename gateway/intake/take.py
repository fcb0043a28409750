"""One record at the door: `POST /v1/feeds/{agency}/records`.

The hot path. It is a bare ASGI application, because injected parameters and response models cost more than all the
work done here; its place in the OpenAPI document is written by hand in `gateway/intake/described.py`.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, assert_never

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from adapters.base import Accepted, Adapter, Held, Ignored, Message, Outcome, Refused
from gateway import telemetry
from gateway.access.caller import Access, Caller
from gateway.clock import Clock
from gateway.failpoints import reach
from gateway.intake.door import Limits, chunks, feed, media_type, message_id, not_too_busy
from gateway.intake.entry import Clash, Entry, Taken
from gateway.intake.findings import told
from gateway.intake.refusals import Refusal
from gateway.intake.words import word
from gateway.problems import ID_REUSED, RECORD_REFUSED, Problem, faults
from gateway.sealing import BlindIndex

_LONG = 64 * 1024
"""Bytes from which a record is read in a thread, so that it does not hold up everybody else's."""


class Commits(Protocol):
    """The journal, as the doors see it."""

    @property
    def waiting(self) -> int:
        """Entries that are not yet committed."""
        ...

    async def take(self, entry: Entry) -> Taken | Clash:
        """Commit one record. Raises JournalUnavailable."""
        ...


class Keeps(Protocol):
    """Where refused bytes are kept, as the doors see it."""

    async def keep(self, refused: list[Refusal]) -> None:
        """Keep these, sealed. Raises JournalUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class RecordDoor:
    """Takes one record: authenticated, bounded, translated, committed, and only then answered."""

    access: Access
    adapters: Mapping[str, Adapter]
    journal: Commits
    refusals: Keeps
    index: BlindIndex
    namespace: uuid.UUID
    limits: Limits
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises Problem for every answer that is not an acceptance."""
        request = Request(scope, receive)
        caller = self.access.caller(request)
        adapter = feed(caller, scope["path_params"]["agency"], self.adapters)
        told_id = message_id(request)
        media = media_type(request, adapter.records)
        not_too_busy(self.journal.waiting, self.limits)
        reach("I1")
        body = b"".join([chunk async for chunk in chunks(request, self.limits)])
        reach("I2")
        message = Message(body, media, self.clock())
        outcome = await _read(adapter, message)
        body_hash = self.index.of("body", body)
        transport = self.index.of("transport", f"{caller.party.id}|{told_id or body_hash.hex()}")
        match outcome:
            case Refused():
                await self._refuse(caller, adapter, message, outcome, transport, body_hash)
            case Accepted() | Held() | Ignored():
                entry = Entry(
                    sender=caller.party.id,
                    agency=adapter.name,
                    transport=transport,
                    body_hash=body_hash,
                    body=body,
                    media_type=media,
                    received=message.received,
                    outcome=outcome,
                    trace=telemetry.traceparent(request.headers.get("traceparent")),
                )
                taken = await self.journal.take(entry)
                reach("I4")
                await _answer(send, taken, outcome)
            case _:
                assert_never(outcome)

    async def _refuse(
        self, caller: Caller, adapter: Adapter, message: Message, outcome: Refused, transport: bytes, body_hash: bytes
    ) -> None:
        refusal = Refusal(
            # The same bytes refused again under the same id are the same refusal.
            id=uuid.uuid5(self.namespace, f"refusal|{transport.hex()}|{body_hash.hex()}"),
            sender=caller.party.id,
            agency=adapter.name,
            transport=transport,
            message=message,
            findings=outcome.findings,
        )
        await self.refusals.keep([refusal])
        found = faults(outcome.findings)
        count = "1 fault" if len(found) == 1 else f"{len(found)} faults"
        raise Problem(RECORD_REFUSED, f"The record has {count}.", errors=found, more={"refusal": str(refusal.id)})


async def _read(adapter: Adapter, message: Message) -> Outcome:
    if len(message.body) > _LONG:
        return await asyncio.to_thread(adapter.read, message)
    return adapter.read(message)


async def _answer(send: Send, taken: Taken | Clash, outcome: Accepted | Held | Ignored) -> None:
    """Send the receipt: 202 for a new record, 200 for one taken before. Raises Problem (409) for a clash."""
    receipt = f"/v1/receipts/{taken.record_id}"
    if isinstance(taken, Clash):
        raise Problem(
            ID_REUSED,
            "Another body came under this message id, and was taken.",
            more={"receipt": str(taken.record_id), "links": {"receipt": receipt}},
        )
    document: dict[str, Any] = {
        "receipt": str(taken.record_id),
        "state": word(taken.state),
        "findings": [] if isinstance(outcome, Ignored) else told(outcome.findings),
        "links": {"receipt": receipt},
    }
    body = orjson.dumps(document)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"location", receipt.encode()),
    ]
    await send({"type": "http.response.start", "status": 200 if taken.repeat else 202, "headers": headers})
    reach("I5")
    await send({"type": "http.response.body", "body": body})
