"""The courier makes one attempt to deliver and says what came of it.

What a recipient does is never an exception here: `judge` turns every answer, and the lack of one, into an outcome.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from gateway.clock import Clock
from gateway.delivery.delivery import Delivery
from gateway.delivery.notices import notice
from gateway.delivery.outcome import Closed, Erased, Offered, Outcome, Refused, Unavailable
from gateway.delivery.posting import Answer, Failure, Poster
from gateway.delivery.signing import ID, sign
from gateway.parties import Body
from gateway.sealing import Sealer, Signer, Unreadable
from gateway.telemetry import log, traceparent

_REFUSED = frozenset({400, 413, 415, 422})
_SHUT = frozenset({401, 403, 404, 410})


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


class Courier:
    """Attempts deliveries to one recipient."""

    def __init__(self, poster: Poster, body: Body, sealer: Sealer, signer: Signer, clock: Clock) -> None:
        self._poster = poster
        self._full = body is Body.FULL
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
        answer = await self._poster.post(headers, body)
        if not isinstance(answer, Answer):
            return judge(answer)
        asked = retry_after(answer.headers.get("retry-after"), now)
        return judge(answer.status, ours=_names(answer, headers[ID]), asked=asked)

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


def _names(answer: Answer, delivery: str) -> bool:
    """Whether an answer names this delivery, in its header or in its body."""
    return answer.headers.get(ID) == delivery or delivery.encode() in answer.body
