"""What both doors ask of a request: whose feed it is, its message id, its media type, and a body that has an end."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request

from adapters.base import Adapter
from gateway import telemetry
from gateway.access.caller import Caller
from gateway.parties import Party
from gateway.problems import (
    MALFORMED,
    MEDIA_TYPE_NOT_TAKEN,
    TOO_BUSY,
    TOO_LARGE,
    TOO_SLOW,
    Fault,
    Kind,
    Problem,
    not_found,
)

ID_HEADERS = ("idempotency-key", "x-request-id", "x-amz-sns-message-id")
"""Where a sender's message id may stand; the first that is there counts."""

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may bring (bytes) and how long a pause it may make, and how much may wait for a commit.

    slowest: bytes a second a body must come in on average, once patience is spent.
    """

    max_body: int
    max_waiting: int
    patience: timedelta = timedelta(seconds=30)
    slowest: int = 1024


def feed(caller: Caller, agency: str, adapters: Mapping[str, Adapter]) -> Adapter:
    """The adapter of the feed this caller sends. Another's feed and none at all are the same 404."""
    adapter = adapters.get(agency)
    if adapter is None or not caller.party.sends(agency):
        raise not_found()
    return adapter


def attributes(party: Party) -> Mapping[str, str]:
    """What its sender says of a message, for its adapter to check it by: the area whose LASARS it is."""
    return {"area": party.area} if party.area is not None else {}


def message_id(request: Request) -> str | None:
    """The sender's own id of this message; None where it gives none, and the body speaks for itself."""
    for name in ID_HEADERS:
        values = request.headers.getlist(name)
        if not values:
            continue
        value = values[0]
        if len(values) > 1 or not 1 <= len(value) <= LONGEST_ID or not (value.isascii() and value.isprintable()):
            text = f"Send it once, as 1 to {LONGEST_ID} printable ASCII characters."
            raise Problem(MALFORMED, "The message id cannot be used.", errors=[Fault("HTTP-002", name, text)])
        return value
    return None


def media_type(request: Request, taken: Collection[str]) -> str:
    """The media type of the body, without parameters. Raises Problem (415) for one that is not taken, or compressed."""
    values = request.headers.getlist("content-type")
    told = values[0].partition(";")[0].strip().lower() if len(values) == 1 else ""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if told not in taken or encoding != "identity":
        names = sorted(taken)
        # RFC 9110 sections 12.5.1 and 12.5.3: a 415 says what would have been taken.
        headers = {"accept": ", ".join(names), "accept-encoding": "identity"}
        raise Problem(MEDIA_TYPE_NOT_TAKEN, f"Taken here: {', '.join(names) or 'nothing'}.", headers=headers)
    return told


def not_too_busy(waiting: int, limits: Limits) -> None:
    """Raises Problem (429) while too much waits for its commit, so that what was accepted is never dropped."""
    if waiting >= limits.max_waiting:
        raise Problem(TOO_BUSY, f"{limits.max_waiting} records wait for their commit.", headers={"retry-after": "1"})


async def chunks(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The body in pieces. Raises Problem as soon as it is known to be too large (413), or when it stalls (408)."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limits.max_body:
        raise _too_large(limits)
    total = 0
    seconds = limits.patience.total_seconds()
    now = asyncio.get_running_loop().time
    begun = now()
    more = True
    while more:
        try:
            # A byte now and then is no progress: what has come must have earned the time it took.
            async with asyncio.timeout_at(min(now(), begun + total / limits.slowest) + seconds):
                message = await request.receive()
        except TimeoutError:
            sentence = f"Nothing came for {seconds:g} seconds, or less than {limits.slowest} bytes a second."
            raise Problem(TOO_SLOW, sentence, headers={"connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise Problem(TOO_SLOW, "The connection ended before the body did.")
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        total += len(chunk)
        if total > limits.max_body:
            raise _too_large(limits)
        yield chunk


def turned_away(channel: str, adapter: Adapter | None, kind: Kind) -> None:
    """Count a message that was not read. adapter: of the feed it was meant for; None where that is none of ours."""
    agency = adapter.name if adapter is not None else "unknown"
    telemetry.turned_away.labels(channel, agency, kind.status, kind.name).inc()


def _too_large(limits: Limits) -> Problem:
    # The rest of the body is not read, so the connection cannot serve another request.
    return Problem(TOO_LARGE, f"At most {limits.max_body} bytes are taken here.", headers={"connection": "close"})
