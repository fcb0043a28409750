"""One record at the door: `POST /v1/feeds/{agency}/records`.

The hot path. It is a bare ASGI application, because injected parameters and response models cost more than all the
work done here; its place in the OpenAPI document is written by hand in `gateway/intake/described.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from adapters.base import Adapter, Answered, Fate, Message, Reply
from gateway import telemetry
from gateway.access.caller import Access
from gateway.clock import Clock
from gateway.errors import JournalUnavailable
from gateway.failpoints import reach
from gateway.intake.answers import answered, replies
from gateway.intake.door import Limits, attributes, chunks, feed, media_type, message_id, not_too_busy, turned_away
from gateway.intake.entry import Clash
from gateway.intake.record import RecordRefused, RecordTaken, RecordTaker
from gateway.intake.told import record_clash, record_problem, record_told
from gateway.problems import Problem


@dataclass(frozen=True, slots=True)
class RecordDoor:
    """Takes one record: authenticated, bounded, translated, committed, and only then answered."""

    access: Access
    adapters: Mapping[str, Adapter]
    taker: RecordTaker
    limits: Limits
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises Problem for every answer that is not an acceptance."""
        request = Request(scope, receive)
        agency: str = scope["path_params"]["agency"]
        try:
            caller = self.access.caller(request)
            adapter = feed(caller, agency, self.adapters)
            told_id = message_id(request)
            media = media_type(request, adapter.records)
            not_too_busy(self.taker.journal.waiting, self.limits)
            reach("I1")
            body = b"".join([chunk async for chunk in chunks(request, self.limits)])
        except Problem as problem:
            turned_away(self.taker.channel, self.adapters.get(agency), problem.kind)
            raise
        reach("I2")
        message = Message(body, media, self.clock(), attributes(caller.party))
        if told_id is None and media in adapter.ids:
            told_id = adapter.ids[media](body)
        trace = telemetry.traceparent(request.headers.get("traceparent"))
        try:
            became = await self.taker.take(caller.party.id, adapter, message, told_id, trace)
        except JournalUnavailable:
            unsaid = replies(adapter, message, Answered(Fate.NOT_NOW, self.clock()))
            if not unsaid:
                raise
            await _reply(send, unsaid[-1], 503, [(b"retry-after", b"1")])
            return
        reach("I4")
        # Only where the agency's protocol defines the answer; everybody else's way is a look-up longer.
        said = replies(adapter, message, answered(became, self.clock())) if adapter.answers else ()
        if said:
            await _reply(send, said[-1], *_status(became))
        elif isinstance(became, RecordRefused):
            raise record_problem(became)
        else:
            await _answer(send, became)


def _status(became: RecordTaken | RecordRefused) -> tuple[int, list[tuple[bytes, bytes]]]:
    """The status and the headers of an answer, whose body is another protocol's."""
    if isinstance(became, RecordRefused):
        return 422, []
    if isinstance(became.taken, Clash):
        return 409, []
    receipt = f"/v1/receipts/{became.taken.record_id}"
    return 200 if became.taken.repeat else 202, [(b"location", receipt.encode())]


async def _reply(send: Send, reply: Reply, status: int, more: list[tuple[bytes, bytes]]) -> None:
    """Send the answer of the agency's protocol, under the status everybody's has."""
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    reach("I5")
    await send({"type": "http.response.body", "body": reply.body})


async def _answer(send: Send, became: RecordTaken) -> None:
    """Send the receipt: 202 for a new record, 200 for one taken before. Raises Problem (409) for a clash."""
    taken = became.taken
    if isinstance(taken, Clash):
        raise record_clash(taken)
    document = record_told(taken, became.outcome)
    receipt = document["links"]["receipt"]
    body = orjson.dumps(document)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"location", receipt.encode()),
    ]
    await send({"type": "http.response.start", "status": 200 if taken.repeat else 202, "headers": headers})
    reach("I5")
    await send({"type": "http.response.body", "body": body})
