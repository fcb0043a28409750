"""What answers mean, and how an attempt behaves on a real connection."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import pytest
from aiohttp import web

from gateway.delivery.courier import MOST_ANSWER, Courier, Failure, judge, open_session, retry_after
from gateway.delivery.delivery import Delivery
from gateway.delivery.outcome import Closed, Erased, Offered, Refused, Unavailable
from gateway.delivery.signing import verify, write_key
from gateway.local import ports
from gateway.parties import Body, Push
from gateway.sealing import Sealer, Secrets
from tests.support.deliveries import SEALER, SIGNER
from tests.support.pushed import Door

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEYS = [write_key(public) for public in SIGNER.public_keys()]


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_exactly_one_meaning(status: int) -> None:
    """2xx is offered, four refusals park, four closed doors open the circuit; for all else the debt stands."""
    outcome = judge(status)
    if 200 <= status <= 299:
        assert outcome == Offered(status)
    elif status in {400, 413, 415, 422}:
        assert outcome == Refused("recipient_rejected_content", "recipient", status)
    elif status in {401, 403, 404, 410}:
        assert outcome == Closed(status)
    else:
        assert outcome == Unavailable("status", status)


@pytest.mark.parametrize("failure", list(Failure))
def test_no_answer_leaves_the_debt(failure: Failure) -> None:
    """A timeout and a broken connection are tried again."""
    assert judge(failure) == Unavailable(failure.value)


def test_a_conflict_is_success_only_with_our_id() -> None:
    """409 that names our delivery says the recipient has it; any other 409 says nothing of the kind."""
    assert judge(409, ours=True) == Offered(409)
    assert judge(409) == Unavailable("status", 409)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("Mon, 02 Mar 2026 09:31:00 GMT", timedelta(minutes=1)),
        ("Mon, 02 Mar 2026 09:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("9" * 400, timedelta(seconds=10**6)),
        ("Mon, 99 Mar 2026 09:31:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str | None, wait: timedelta | None) -> None:
    """Seconds or a date; nonsense asks for nothing."""
    assert retry_after(value, NOW) == wait


def delivery(sealer: Sealer = SEALER, body: bytes = b'{"data": {}}') -> Delivery:
    """A delivery whose body is sealed with this installation's key, or another's."""
    made, record = uuid4(), uuid4()
    key, wrapped = sealer.new_key(record)
    return Delivery(
        made,
        "lasars-a",
        7,
        uuid4(),
        record,
        "custody.drug-test.recorded",
        "fact",
        "home",
        NOW,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        0,
        None,
        None,
        key.seal(made, body),
        wrapped,
        read=NOW,
    )


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door that listens."""
    async with Door() as door:
        yield door


async def attempt(
    door: Door, one: Delivery, *, body: Body = Body.FULL, deadline: timedelta = timedelta(seconds=5)
) -> object:
    """Make one attempt."""
    push = Push(url=door.url, body=body)
    async with open_session(push, deadline) as session:
        return await Courier(session, push, SEALER, SIGNER, lambda: datetime.now(UTC)).attempt(one)


async def test_a_push_is_signed_over_its_very_bytes(door: Door) -> None:
    """The body is what was sealed, byte for byte, under the delivery's id; the trace goes on."""
    one = delivery(body=b'{"data": {"a": "\xc3\xa9"},   "odd": 1}')
    assert await attempt(door, one) == Offered(204)
    (arrival,) = door.arrivals
    headers, body = arrival.headers, arrival.body
    assert body == b'{"data": {"a": "\xc3\xa9"},   "odd": 1}'
    assert verify(KEYS, headers, body, datetime.now(UTC)) == str(one.id)
    assert headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert headers["content-type"] == "application/json"


async def test_a_notice_says_nothing_of_the_body(door: Door) -> None:
    """Ids, kind and time only; and the same bytes at every attempt."""
    one = delivery(body=b'{"data": {"secret": "canary"}}')
    for _ in range(2):
        assert await attempt(door, one, body=Body.NOTICE) == Offered(204)
    first, second = (arrival.body for arrival in door.arrivals)
    assert first == second
    assert set(orjson.loads(first)) == {"id", "position", "kind", "change", "role", "created"}


async def test_a_redirect_is_not_followed(door: Door) -> None:
    """3xx is a failure: what was meant for one address is sent to no other."""

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(door.url)

    door.answer = elsewhere
    assert await attempt(door, delivery()) == Unavailable("status", 307)
    assert len(door.arrivals) == 1


async def test_a_conflict_naming_our_id_is_recognised(door: Door) -> None:
    """In the answer's body as in its webhook-id header."""
    one = delivery()

    async def in_body(_: web.Request) -> web.StreamResponse:
        return web.json_response({"known": str(one.id)}, status=409)

    async def in_header(_: web.Request) -> web.StreamResponse:
        return web.Response(status=409, headers={"webhook-id": str(one.id)})

    async def another(_: web.Request) -> web.StreamResponse:
        return web.json_response({"known": str(uuid4())}, status=409)

    for answer, outcome in ((in_body, Offered(409)), (in_header, Offered(409)), (another, Unavailable("status", 409))):
        door.answer = answer
        assert await attempt(door, one) == outcome


async def test_a_slow_answer_is_a_timeout(door: Door) -> None:
    """After the deadline nobody waits any longer."""

    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    door.answer = never
    assert await attempt(door, delivery(), deadline=timedelta(milliseconds=200)) == Unavailable("timeout")


async def test_an_answer_that_drips_counts_by_its_status(door: Door) -> None:
    """The status line is the answer; a body that never ends is waited for until the deadline and no longer."""

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=200)
        await answer.prepare(request)
        await answer.write(b"x")
        await asyncio.Event().wait()
        return answer

    door.answer = drip
    assert await attempt(door, delivery(), deadline=timedelta(seconds=3)) == Offered(200)


async def test_an_endless_answer_is_read_no_further_than_64_kib(door: Door) -> None:
    """However much comes."""
    written = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal written
        answer = web.StreamResponse(status=500)
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * MOST_ANSWER)
                written += MOST_ANSWER
        except ConnectionError:
            return answer

    door.answer = endless
    assert await attempt(door, delivery()) == Unavailable("status", 500)
    assert written < 16 << 20  # what the sockets' buffers hold


async def test_a_refused_connection_leaves_the_debt() -> None:
    """Nobody listens."""
    door = Door()
    door.url = f"http://127.0.0.1:{ports.free(1)[0]}/push"
    assert await attempt(door, delivery()) == Unavailable("connection")


async def test_a_destroyed_key_is_erasure(door: Door) -> None:
    """Nothing is sent, neither body nor notice."""
    one = delivery()
    bare = Delivery(*(getattr(one, name) for name in Delivery.__slots__[:-2]), None, read=NOW)
    assert [await attempt(door, bare, body=body) for body in Body] == [Erased(), Erased()]
    assert door.arrivals == []


async def test_another_installations_key_file_ends_nothing(door: Door) -> None:
    """A key that does not unwrap is our fault, and mendable: the debt stands."""
    assert await attempt(door, delivery(Sealer(Secrets.generate().kek))) == Unavailable("key_unreadable")


async def test_a_damaged_body_goes_to_operations(door: Door) -> None:
    """It is parked; no part of it is sent."""
    one = delivery()
    damaged = Delivery(*(getattr(one, name) for name in Delivery.__slots__[:-3]), b"x" * 40, one.wrapped, read=NOW)
    assert await attempt(door, damaged) == Refused("body_unreadable", "operations")
    assert door.arrivals == []
