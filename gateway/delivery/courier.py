"""The courier makes one attempt to deliver and says what came of it.

What a recipient does is never an exception here: `judge` turns every answer, and the lack of one, into an outcome.
"""

import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from yarl import URL

from gateway.clock import Clock
from gateway.delivery.delivery import Delivery
from gateway.delivery.notices import notice
from gateway.delivery.outcome import Closed, Erased, Offered, Outcome, Refused, Unavailable
from gateway.delivery.signing import ID, sign
from gateway.failpoints import armed, reach
from gateway.parties import Body, Push
from gateway.sealing import Sealer, Signer, Unreadable
from gateway.telemetry import log, traceparent

MOST_ANSWER = 64 * 1024
"""Bytes of an answer that are read; a connection on which more comes is closed."""

_REFUSED = frozenset({400, 413, 415, 422})
_SHUT = frozenset({401, 403, 404, 410})
_HEADERS = {"content-type": "application/json", "user-agent": "lasars-gateway"}


class Failure(enum.StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"


def judge(answer: int | Failure, *, ours: bool = False, asked: timedelta | None = None) -> Outcome:
    """What an answer means. ours: it names our delivery id; asked: the wait it asks for.

    In doubt the debt stands: everything not named here is tried again. A redirect is not followed and is no success.
    """
    match answer:
        case Failure():
            return Unavailable(answer.value)
        case 409 if ours:
            return Offered(answer)
        case _ if 200 <= answer <= 299:
            return Offered(answer)
        case _ if answer in _REFUSED:
            return Refused("recipient_rejected_content", "recipient", answer)
        case _ if answer in _SHUT:
            return Closed(answer)
        case _:
            return Unavailable("status", answer, asked)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait a Retry-After header asks for (RFC 9110 section 10.2.3: seconds or a date); None if it asks for none."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 10**6))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))


def open_session(push: Push, deadline: timedelta) -> aiohttp.ClientSession:
    """A session for one recipient: as many connections as may be in flight, no cookies, no proxy of the environment."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=push.in_flight, keepalive_timeout=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        timeout=aiohttp.ClientTimeout(total=deadline.total_seconds()),
        auto_decompress=False,
        trust_env=False,
    )


class Courier:
    """Attempts deliveries to one recipient."""

    def __init__(
        self, session: aiohttp.ClientSession, push: Push, sealer: Sealer, signer: Signer, clock: Clock
    ) -> None:
        self._session = session
        self._url = URL(push.url)
        self._full = push.body is Body.FULL
        self._sealer = sealer
        self._signer = signer
        self._clock = clock

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Make one attempt."""
        body = self._body(delivery)
        if not isinstance(body, bytes):
            return body
        now = self._clock()
        headers = sign(self._signer, str(delivery.id), now, body)
        headers["traceparent"] = traceparent(delivery.trace)
        data = _HalfAndHalf(body) if armed("D4") or armed("D5") else BytesPayload(body)
        return await self._post(headers, data, now)

    def _body(self, delivery: Delivery) -> bytes | Outcome:
        """The bytes to send, opened just now; or the outcome, where there are none."""
        if delivery.wrapped is None:
            return Erased()
        if not self._full:
            return notice(delivery)
        try:
            key = self._sealer.unwrap(delivery.record_id, delivery.wrapped)
        except Unreadable:
            # Another installation's key file, most likely: a fault of ours that ends nothing.
            log.error("delivery.key_unreadable", delivery=str(delivery.id), recipient=delivery.recipient)
            return Unavailable("key_unreadable")
        try:
            return key.open(delivery.id, delivery.sealed or b"")
        except Unreadable:
            log.error("delivery.body_unreadable", delivery=str(delivery.id), recipient=delivery.recipient)
            return Refused("body_unreadable", "operations")

    async def _post(self, headers: Mapping[str, str], data: BytesPayload, now: datetime) -> Outcome:
        status: int | None = None
        ours, asked = False, None
        try:
            async with self._session.post(self._url, data=data, headers=headers, allow_redirects=False) as answer:
                status = answer.status
                asked = retry_after(answer.headers.get("retry-after"), now)
                ours = answer.headers.get(ID) == headers[ID]
                told = await _read(answer.content)
                ours = ours or headers[ID].encode() in told
        except TimeoutError:
            # Once its status is known an answer counts, however its body goes on.
            return judge(Failure.TIMEOUT if status is None else status, ours=ours, asked=asked)
        except (aiohttp.ClientError, OSError, ValueError):
            return judge(Failure.CONNECTION if status is None else status, ours=ours, asked=asked)
        return judge(status, ours=ours, asked=asked)


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The answer's body, as far as it is read. Read to its end it leaves the connection usable."""
    told = b""
    while not content.at_eof() and len(told) < MOST_ANSWER:
        told += await content.read(MOST_ANSWER - len(told))
    return told


class _HalfAndHalf(BytesPayload):
    """A body written in two parts, so that a process can be made to die between them."""

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        middle = len(self._value) // 2
        await writer.write(self._value[:middle])
        reach("D4")
        await writer.write(self._value[middle:])
        reach("D5")
