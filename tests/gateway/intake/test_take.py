"""One record at the door: what is taken, what is answered, and what is never read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from adapters.base import Accepted, Adapter, Held, Message, Outcome
from adapters.findings import MORE, MOST
from gateway import failpoints
from gateway.errors import JournalUnavailable
from gateway.failpoints import Crashed
from gateway.intake.door import LONGEST_ID, Limits
from gateway.intake.record import RecordTaker
from gateway.intake.take import RecordDoor
from gateway.problems import install
from gateway.sealing import BlindIndex
from tests.support.doors import (
    ADAPTERS,
    EXAMPLES,
    FORCE,
    OTHER_FORCE,
    PRISON,
    SECRETS,
    STILL,
    STOCKPORT,
    FakeJournal,
    FakeRefusals,
    access,
    bearer,
    knocking,
    limits,
)

RECORDS = "/v1/feeds/police_custody/records"
GOOD = (EXAMPLES / "police_custody/examples/accepted/enfield-test-and-required-assessment.xml").read_bytes()
BAD = (EXAMPLES / "police_custody/examples/refused/due-before-notice.xml").read_bytes()
XML = {"content-type": "application/xml"}
JSON = {"content-type": "application/json"}


class Street:
    """The door, and what stands behind it."""

    def __init__(self, at: Limits | None = None, adapters: Any = ADAPTERS) -> None:
        self.journal = FakeJournal()
        self.refusals = FakeRefusals()
        taker = RecordTaker(self.journal, self.refusals, BlindIndex(SECRETS.pepper), SECRETS.namespace)
        door = RecordDoor(access(), adapters, taker, at or limits(), STILL)
        self.app = FastAPI(routes=[Route("/v1/feeds/{agency}/records", door, methods=["POST"])])
        install(self.app)

    async def send(self, body: Any = GOOD, path: str = RECORDS, **headers: str) -> httpx.Response:
        """Send a record as the force, with these headers beside the usual."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with knocking(self.app) as client:
            return await client.post(path, content=body, headers=bearer() | XML | named)


@pytest.fixture
def street() -> Street:
    """A door with nothing taken yet."""
    return Street()


def problem(answer: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The problem an answer is, which must be this one."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    told: dict[str, Any] = answer.json()
    assert (told["type"], told["status"]) == (f"/problems/{name}", status)
    assert told["title"]
    assert told["detail"]
    assert told["fix"]
    return told


async def test_a_good_record_is_taken_with_a_receipt(street: Street) -> None:
    """202 names the receipt, the state, the findings and where to follow it; the journal has the bytes as they came."""
    answer = await street.send(idempotency_key="m-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert answer.status_code == 202
    told = answer.json()
    assert answer.headers["location"] == told["links"]["receipt"] == f"/v1/receipts/{told['receipt']}"
    assert told["state"] == "validated"
    assert {finding["level"] for finding in told["findings"]} <= {"warn"}
    (entry,) = street.journal.entries
    assert entry.body == GOOD
    assert (entry.sender, entry.agency, entry.media_type) == ("met-police", "police_custody", "application/xml")
    assert isinstance(entry.outcome, Accepted)
    assert entry.trace[3:35] == "a" * 32


@pytest.mark.parametrize("state", ["held", "ignored"])
@pytest.mark.parametrize("agency", ["police_custody", "prison"])
async def test_what_is_held_or_ignored_is_taken_and_says_so(agency: str, state: str) -> None:
    """A record we cannot use yet, or do not subscribe to, is committed like any other and answered by its state."""
    street = Street()
    sender, media = (FORCE, "application/xml") if agency == "police_custody" else (PRISON, "application/json")
    files = sorted(
        path for path in (EXAMPLES / agency / "examples" / state).iterdir() if path.suffix in {".xml", ".json"}
    )
    assert files
    async with knocking(street.app) as client:
        for file in files:
            headers = bearer(sender) | {"content-type": f"{media}; charset=utf-8"}
            answer = await client.post(f"/v1/feeds/{agency}/records", content=file.read_bytes(), headers=headers)
            assert (answer.status_code, answer.json()["state"]) == (202, state)


async def test_the_same_message_again_has_the_first_receipt(street: Street) -> None:
    """200 and the same receipt, however often; one entry in the journal."""
    first = await street.send(idempotency_key="m-1")
    for _ in range(3):
        again = await street.send(idempotency_key="m-1")
        assert (again.status_code, again.json()) == (200, first.json())
    assert len(street.journal.entries) == 1


async def test_without_an_id_the_bytes_are_the_message(street: Street) -> None:
    """The same bytes are a repeat, other bytes are not."""
    first = await street.send()
    assert (await street.send()).json()["receipt"] == first.json()["receipt"]
    other = await street.send(GOOD + b"\n")
    assert other.status_code == 202
    assert other.json()["receipt"] != first.json()["receipt"]


async def test_the_same_id_with_another_body_is_a_conflict(street: Street) -> None:
    """409 names the first receipt, and nothing of the second is kept."""
    first = await street.send(idempotency_key="m-1")
    told = problem(await street.send(GOOD + b"\n", idempotency_key="m-1"), 409, "message-id-reused")
    assert told["receipt"] == first.json()["receipt"]
    assert len(street.journal.entries) == 1


async def test_an_id_is_its_senders_own(street: Street) -> None:
    """Two forces may number their messages alike."""
    first = await street.send(idempotency_key="m-1")
    second = await street.send(idempotency_key="m-1", **bearer(OTHER_FORCE))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["receipt"] != second.json()["receipt"]


async def test_an_id_is_read_from_the_first_header_that_has_one(street: Street) -> None:
    """Idempotency-Key before X-Request-Id before the id SNS gives."""
    one = await street.send(x_request_id="m-1", x_amz_sns_message_id="other")
    assert (await street.send(idempotency_key="m-1")).json()["receipt"] == one.json()["receipt"]
    assert (await street.send(x_amz_sns_message_id="m-1")).status_code == 200


@pytest.mark.parametrize("value", ["", "x" * (LONGEST_ID + 1), "a\tb", "ключ"])
async def test_an_id_that_cannot_be_kept_is_refused(street: Street, value: str) -> None:
    """Empty, too long, not printable: 400, naming the header and not its value."""
    async with knocking(street.app) as client:
        headers = [*(bearer() | XML).items(), ("idempotency-key", value.encode())]
        answer = await client.post(RECORDS, content=GOOD, headers=headers)  # type: ignore[arg-type]
    told = problem(answer, 400, "malformed-request")
    assert told["errors"][0]["field"] == "idempotency-key"
    assert not value or value not in answer.text
    assert street.journal.entries == []


async def test_a_refused_record_is_told_every_fault_and_kept(street: Street) -> None:
    """422 names each fault by rule, field and sentence; the bytes are kept outside the ledgers, once."""
    answer = await street.send(BAD)
    told = problem(answer, 422, "record-refused")
    rules = ADAPTERS["police_custody"].rules
    assert told["errors"]
    assert {error["rule"] for error in told["errors"]} <= rules.keys()
    assert all(error["text"] for error in told["errors"])
    again = problem(await street.send(BAD), 422, "record-refused")
    assert again["refusal"] == told["refusal"]
    assert street.journal.entries == []
    assert {refusal.message.body for refusal in street.refusals.kept} == {BAD}
    assert {str(refusal.id) for refusal in street.refusals.kept} == {told["refusal"]}


async def test_a_record_of_thousands_of_faults_is_told_a_hundred(street: Street) -> None:
    """The answer stays short, counts what it leaves out, and as much is kept."""
    record = orjson.loads((EXAMPLES / "prison/examples/accepted/need-identified.json").read_bytes())
    record["substances"] = [{"x": 1}] * 5000
    answer = await street.send(orjson.dumps(record), "/v1/feeds/prison/records", **bearer(PRISON) | JSON)
    told = problem(answer, 422, "record-refused")
    assert told["detail"] == f"The record has over {MOST} faults."
    assert len(told["errors"]) == MOST + 1
    assert told["errors"][-1]["rule"] == MORE.id
    (kept,) = street.refusals.kept
    assert len(kept.findings) == MOST + 1


async def test_a_corrected_record_may_keep_its_id(street: Street) -> None:
    """A refused record took nothing, so its message id is free for the mended one."""
    problem(await street.send(BAD, idempotency_key="m-1"), 422, "record-refused")
    assert (await street.send(GOOD, idempotency_key="m-1")).status_code == 202


async def test_who_is_not_signed_in_learns_nothing(street: Street) -> None:
    """401 before anything else is looked at, for every path and body."""
    async with knocking(street.app) as client:
        for path in (RECORDS, "/v1/feeds/prison/records", "/v1/feeds/none/records"):
            answer = await client.post(path, content=GOOD, headers=XML)
            problem(answer, 401, "not-signed-in")
            assert answer.headers["www-authenticate"].startswith("Bearer ")
            problem(
                await client.post(path, content=GOOD, headers={"authorization": "Bearer a.b.c"}), 401, "not-signed-in"
            )


async def test_another_agencys_feed_is_as_if_it_were_none(street: Street) -> None:
    """A sender of one feed, a recipient of none, and an agency nobody has heard of: the same answer, byte for byte."""
    strangers = await asyncio.gather(
        street.send(path="/v1/feeds/prison/records"),
        street.send(path="/v1/feeds/nobody/records"),
        street.send(**bearer(PRISON)),
        street.send(**bearer(STOCKPORT)),
    )
    for answer in strangers:
        problem(answer, 404, "not-found")
    assert len({answer.content for answer in strangers}) == 1
    assert street.journal.entries == []


@pytest.mark.parametrize("media", ["application/pdf", "text/html", "", "application/xmlx"])
async def test_a_media_type_that_is_not_taken_is_named(street: Street, media: str) -> None:
    """415 names what is taken."""
    answer = await street.send(content_type=media)
    assert "application/xml" in problem(answer, 415, "media-type-not-taken")["detail"]
    assert "application/xml" in answer.headers["accept"]


async def test_a_compressed_body_is_not_taken(street: Street) -> None:
    """What unpacks to any size is not unpacked."""
    answer = await street.send(content_encoding="gzip")
    problem(answer, 415, "media-type-not-taken")
    assert answer.headers["accept-encoding"] == "identity"


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    """413 by the announced length alone."""

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    street = Street(limits(max_body=100))
    problem(await street.send(unread(), content_length="101"), 413, "too-large")
    for announced in ("-1", "1e3", "²", "x"):
        async with knocking(street.app) as client:
            headers = [*(bearer() | XML).items(), ("content-length", announced.encode())]
            answer = await client.post(RECORDS, content=unread(), headers=headers)  # type: ignore[arg-type]
        problem(answer, 413, "too-large")


async def test_a_body_that_grows_too_large_is_read_no_further() -> None:
    """Without an announced length the reading stops at the limit, whatever is still to come."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 10
            yield b"x" * 10

    street = Street(limits(max_body=100))
    answer = await street.send(endless())
    problem(answer, 413, "too-large")
    assert answer.headers["connection"] == "close"
    assert read <= 120
    assert street.journal.entries == []


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    """The limit is the last size that is taken."""
    street = Street(limits(max_body=len(GOOD)))
    assert (await street.send()).status_code == 202


async def test_a_body_that_stalls_is_given_up() -> None:
    """408 when nothing comes, so that a sleeping sender holds nothing."""

    async def stalled() -> AsyncIterator[bytes]:
        yield GOOD[:10]
        await asyncio.Event().wait()

    street = Street(limits(patience=timedelta(milliseconds=20)))
    problem(await street.send(stalled()), 408, "too-slow")
    assert street.journal.entries == []


async def test_a_body_that_trickles_is_given_up() -> None:
    """408 for a byte now and then, which is never a pause and never an end."""

    async def trickling() -> AsyncIterator[bytes]:
        while True:
            yield b"<"
            await asyncio.sleep(0.005)

    street = Street(limits(patience=timedelta(milliseconds=100)))
    problem(await street.send(trickling()), 408, "too-slow")


async def test_too_much_waiting_turns_new_records_away_early(street: Street) -> None:
    """429 with Retry-After, before the body is read; what waits is not dropped."""
    street.journal.waiting = 100
    answer = await street.send()
    problem(answer, 429, "too-busy")
    assert answer.headers["retry-after"] == "1"
    street.journal.waiting = 99
    assert (await street.send()).status_code == 202


async def test_a_journal_that_cannot_commit_is_never_a_2xx(street: Street) -> None:
    """503 with Retry-After, and the same message is taken later."""
    street.journal.fails = JournalUnavailable("no")
    answer = await street.send(idempotency_key="m-1")
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    street.journal.fails = None
    assert (await street.send(idempotency_key="m-1")).status_code == 202


async def test_an_unforeseen_fault_is_a_500_that_quotes_nothing() -> None:
    """An adapter that raises is our fault, and its message, which may quote the record, goes nowhere."""

    def read(_: Message) -> Outcome:
        raise KeyError("Mrs Invented")

    broken = Adapter("police_custody", read, {}, frozenset({"application/xml"}))
    answer = await Street(adapters={"police_custody": broken}).send()
    problem(answer, 500, "internal-error")
    assert "Invented" not in answer.text


async def test_a_long_record_holds_up_nobody() -> None:
    """A large body is read in a thread: short ones go past it while it is read."""
    begun, release = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def read(message: Message) -> Outcome:
        if len(message.body) > 64 * 1024:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
        return Held("code_not_mapped", ())

    street = Street(adapters={"police_custody": Adapter("police_custody", read, {}, frozenset({"application/xml"}))})
    long = asyncio.create_task(street.send(b"x" * 70_000))
    await begun.wait()
    assert (await street.send(b"short")).status_code == 202
    release.set()
    assert (await long).status_code == 202


@pytest.mark.parametrize(("point", "taken"), [("I1", 0), ("I2", 0), ("I4", 1), ("I5", 1)])
async def test_every_step_can_be_the_last(street: Street, point: str, taken: int) -> None:
    """Dying before the commit took nothing, dying after it took the record; either way the next attempt settles it."""
    failpoints.arm(f"{point}:1:raise")
    try:
        with pytest.raises(Crashed):
            await street.send(idempotency_key="m-1")
    finally:
        failpoints.arm(None)
    assert len(street.journal.entries) == taken
    assert (await street.send(idempotency_key="m-1")).status_code == (200 if taken else 202)
    assert len(street.journal.entries) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400), media=st.sampled_from(["application/xml", "text/xml", "text/csv"]))
def test_no_bytes_make_the_door_fail(body: bytes, media: str) -> None:
    """Whatever is sent is taken or refused, and what is taken is not altered."""
    street = Street()
    answer = asyncio.run(street.send(body, content_type=media))
    assert answer.status_code in (202, 422)
    assert [entry.body for entry in street.journal.entries] == ([body] if answer.status_code == 202 else [])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["authorization", "content-type", "content-length", "idempotency-key", "traceparent", "x-request-id"]
            ),
            st.binary(max_size=40).filter(lambda value: not {0, 10, 13} & set(value)),
        ),
        max_size=6,
    )
)
def test_no_headers_make_the_door_fail(headers: list[tuple[str, bytes]]) -> None:
    """Whatever the headers say, the answer is a receipt or a problem with a sentence."""
    street = Street()

    async def send() -> httpx.Response:
        async with knocking(street.app) as client:
            told = [*(bearer() | XML).items(), *headers]
            return await client.post(RECORDS, content=GOOD, headers=told)  # type: ignore[arg-type]

    answer = asyncio.run(send())
    assert answer.status_code in (202, 400, 401, 413, 415)
    assert orjson.loads(answer.content)


def test_the_examples_are_where_the_tests_look() -> None:
    """The contract's examples are what is sent here."""
    assert Path(EXAMPLES, "police_custody/README.md").exists()
