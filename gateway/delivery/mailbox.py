"""The mailbox: what every recipient can do without any push, under `/v1`.

List notices after a cursor (and wait for new ones), read a message, answer it. A recipient sees its own messages only;
another's answers exactly like one that does not exist.
"""

import asyncio
from contextlib import suppress
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import telemetry
from gateway.access.caller import Access, Caller
from gateway.clock import Clock
from gateway.delivery.answering import Answering, Told
from gateway.delivery.bell import Bell
from gateway.delivery.signing import sign, write_key
from gateway.failpoints import reach
from gateway.problems import GONE, NOT_FOUND, TOO_LARGE, TOO_SLOW, Problem, not_found
from gateway.sealing import Sealer, Signer, Unreadable
from gateway.store import mailboxes
from gateway.store.mailboxes import Message, Notice
from gateway.telemetry import log

MOST = 200
"""Notices listed at once."""

LONGEST_WAIT = 20
"""Seconds a recipient may wait for something new."""

_LAST_POSITION = 2**63 - 1
_LONGEST_ANSWER = 4096
_ANSWER_WITHIN = 30
_TOLD = {"requestBody": {"required": True, "content": {"application/json": {"schema": Told.model_json_schema()}}}}

_WITHDRAWN = frozenset({"discarded", "retracted", "erased"})


def router(
    engine: AsyncEngine, sealer: Sealer, signer: Signer, access: Access, bell: Bell, answering: Answering, clock: Clock
) -> APIRouter:
    """The routes of recipients, for the application to include."""
    routes = APIRouter(prefix="/v1", tags=["mailbox"])

    async def signed_in(request: Request) -> Caller:
        who = access.caller(request)
        if not who.party.recipient:
            raise Problem(NOT_FOUND, "Your party has no mailbox: it is not registered as a recipient.")
        return who

    # Resolved before any parameter is looked at: who is not signed in learns nothing, not even what is malformed.
    caller = Depends(signed_in)

    @routes.get("/mailbox")
    async def list_notices(
        who: Annotated[Caller, caller],
        after: Annotated[int, Query(ge=0, le=_LAST_POSITION)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
        wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 0,
    ) -> Response:
        """The notices after a cursor, in order. With `wait`, an empty page waits so many seconds for the first."""
        recipient = who.party.id
        page = await mailboxes.page(engine, recipient, after, limit)
        if not page and wait:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait), bell.listening(recipient) as rung:
                    # Looked at again from when it listens: something may have come since the page was read.
                    page = await mailboxes.page(engine, recipient, after, limit)
                    while not page and not bell.closing:
                        await rung.wait()
                        rung.clear()
                        page = await mailboxes.page(engine, recipient, after, limit)
        reach("M1")
        document = {
            "notices": [_listed(notice) for notice in page],
            "cursor": page[-1].position if page else after,
        }
        return _json(orjson.dumps(document, option=orjson.OPT_UTC_Z))

    @routes.get("/messages/{message_id}")
    async def read_message(who: Annotated[Caller, caller], message_id: str) -> Response:
        """The message itself: the bytes that were or would be pushed. The first read of it is its offering."""
        recipient = who.party.id
        delivery = _id(message_id)
        async with engine.begin() as connection:
            message = await mailboxes.read(connection, recipient, delivery)
            if message is None:
                raise not_found()
            body = _open(sealer, message)
            if message.state in ("queued", "parked"):
                await mailboxes.collect(connection, delivery, clock())
                if message.state == "parked":
                    await mailboxes.announce(connection, recipient)
        if message.state in ("queued", "parked"):
            telemetry.delivered.labels(recipient).inc()
        log.info("message.read", recipient=recipient, delivery=str(delivery), state=message.state)
        reach("M2")
        return _json(body, sign(signer, str(delivery), clock(), body))

    @routes.post("/messages/{message_id}/receipt", openapi_extra=_TOLD)
    async def answer_message(who: Annotated[Caller, caller], request: Request, message_id: str) -> Response:
        """Answer a message. The same answer again has the same effect, which is none."""
        told = await _told(request)
        reach("A1")
        receipt = await answering.answer(who.party, _id(message_id), told)
        return _json(orjson.dumps(receipt, option=orjson.OPT_UTC_Z))

    @routes.get("/keys")
    async def list_keys() -> Response:
        """The public keys that messages are signed by, newest first."""
        return _json(orjson.dumps({"keys": [write_key(public) for public in signer.public_keys()]}))

    return routes


def _listed(notice: Notice) -> dict[str, object]:
    return {
        "id": str(notice.id),
        "position": notice.position,
        "kind": notice.kind,
        "change": notice.change,
        "role": notice.role,
        "created": notice.created,
        "state": notice.state,
    }


def _open(sealer: Sealer, message: Message) -> bytes:
    """The body's bytes. Raises Problem where there is none for the recipient any more."""
    if message.state in _WITHDRAWN or message.wrapped is None or message.sealed is None:
        raise Problem(GONE, "The message was withdrawn or erased; its content is served to nobody.")
    try:
        return sealer.unwrap(message.record_id, message.wrapped).open(message.id, message.sealed)
    except Unreadable:
        log.error("message.unreadable", delivery=str(message.id))
        raise


async def _told(request: Request) -> Told:
    """The answer in a request's body, which is read no further than an answer can be long."""
    body = b""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LONGEST_ANSWER:
                    raise Problem(TOO_LARGE, f"An answer may be {_LONGEST_ANSWER} bytes long.")
    except TimeoutError:
        sentence = f"An answer must arrive within {_ANSWER_WITHIN} seconds."
        raise Problem(TOO_SLOW, sentence, headers={"connection": "close"}) from None
    try:
        return Told.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None


def _id(text: str) -> UUID:
    """A message id as it stands in the address; one that is none belongs to nothing."""
    try:
        found = UUID(text)
    except ValueError:
        raise not_found() from None
    if str(found) != text:
        raise not_found()
    return found


def _json(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, headers={"cache-control": "no-store", **(headers or {})}, media_type="application/json")
