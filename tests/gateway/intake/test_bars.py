"""A referral at the door of the Booking and Referral Standard: what is taken, and what is answered as BaRS answers."""

import base64
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from time import process_time
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Adapter, Message
from adapters.registry import adapters as every_adapter
from gateway.errors import JournalUnavailable
from gateway.intake.chain import Head, Minted, Settling, chain
from gateway.sealing import BlindIndex
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.support.doors import (
    EXAMPLES,
    FORCE,
    NOW,
    OTHER_PRACTICE,
    PRACTICE,
    SECRETS,
    FakeJournal,
    Signer,
    application,
    bearer,
    knocking,
    real_journal,
)
from tests.support.samples import sample

pytestmark = pytest.mark.services

DOOR = "/$process-message"
SERVICE = "2000081234"
GP = EXAMPLES / "gp" / "examples"
NEW = (GP / "accepted/referral.json").read_bytes()
UPDATED = (GP / "accepted/referral-updated.json").read_bytes()
CANCELLED = (GP / "accepted/referral-cancelled.xml").read_bytes()
REFERRAL = "5f0c1f52-7d5e-4d0e-9a2b-2f1f6d2b8a11"
HELD = (GP / "held/priority-not-known.json").read_bytes()
ADAPTERS: Mapping[str, Adapter] = every_adapter({"gp": {"lasars_services": SERVICE}})
JSON, XML = "application/fhir+json; version=1.2.0", "application/fhir+xml"


def encoded(told: Any) -> str:
    """A header as BaRS writes one: base64 of JSON."""
    return base64.b64encode(json.dumps(told).encode()).decode()


TARGET = encoded({"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": SERVICE})
ORGANISATION = encoded(
    {
        "resourceType": "Organization",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "P88026"}],
    }
)


def changed(body: bytes, old: str, new: str) -> bytes:
    """A message with one text in place of another, which must be there."""
    assert old.encode() in body
    return body.replace(old.encode(), new.encode())


def headers(signer: Signer = PRACTICE, media: str = JSON, **more: str) -> dict[str, str]:
    """What a BaRS sender writes above a message; `more` by names with underscores, and "" leaves one out."""
    told = {
        **bearer(signer),
        "content-type": media,
        "nhsd-target-identifier": TARGET,
        "x-request-id": str(uuid.uuid4()),
        "x-correlation-id": str(uuid.uuid4()),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value}


def issue(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, the standard's error code and FHIR's type of the first issue."""
    assert answer.headers["content-type"] == "application/fhir+json"
    told = answer.json()
    assert told["resourceType"] == "OperationOutcome"
    first = told["issue"][0]
    assert first["severity"] == "error"
    return answer.status_code, first["details"]["coding"][0]["code"], first["code"]


class Desk:
    """The door on a real store, and what a practice sends to it."""

    def __init__(self, engine: AsyncEngine, client: httpx.AsyncClient) -> None:
        self.engine = engine
        self.client = client

    async def send(
        self, body: bytes = NEW, signer: Signer = PRACTICE, media: str = JSON, **more: Any
    ) -> httpx.Response:
        """Send one message."""
        return await self.client.post(DOOR, content=body, headers=headers(signer, media, **more))

    async def read(self, referral: str = REFERRAL, signer: Signer = PRACTICE, **more: Any) -> httpx.Response:
        """Read how a referral stands."""
        told = {**bearer(signer), "nhsd-end-user-organisation": ORGANISATION, **more}
        return await self.client.get(f"/ServiceRequest/{referral}", headers=told)

    async def events(self) -> list[tuple[str, str]]:
        """Kind and change of everything the journal holds, in its order."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(text("select kind, change from events order by seq"))
            return [(row.kind, row.change) for row in rows]


@pytest.fixture
async def desk(postgres: str) -> AsyncIterator[Desk]:
    """A practice at the door."""
    engine = open_engine(Store(dsn=postgres))
    try:
        async with real_journal(engine) as journal, knocking(application(engine, journal, adapters=ADAPTERS)) as client:
            yield Desk(engine, client)
    finally:
        await engine.dispose()


async def test_a_referral_is_committed_and_answered_with_a_message(desk: Desk) -> None:
    """200 means committed: a message bundle that responds ok to the request, its ids repeated, its receipt named."""
    request, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    answer = await desk.send(x_request_id=request, x_correlation_id=correlation)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"
    assert (answer.headers["x-request-id"], answer.headers["x-correlation-id"]) == (request, correlation)
    told = answer.json()
    assert (told["resourceType"], told["type"]) == ("Bundle", "message")
    assert told["entry"][0]["resource"]["response"] == {"identifier": request, "code": "ok"}
    assert "Ellerby" not in answer.text
    assert await desk.events() == [("care.referred", "fact")]
    receipt = await desk.client.get(answer.headers["location"], headers=bearer(PRACTICE))
    assert receipt.json()["state"] == "validated"


async def test_a_referral_is_changed_and_then_cancelled(desk: Desk) -> None:
    """New, update, cancellation, in JSON and XML: a fact, its correction and its retraction."""
    for body, media in ((NEW, JSON), (UPDATED, JSON), (CANCELLED, XML)):
        assert (await desk.send(body, media=media)).status_code == 200
    assert await desk.events() == [
        ("care.referred", "fact"),
        ("care.referred", "correction"),
        ("care.referred", "retraction"),
    ]


async def test_a_message_sent_twice_has_one_effect(desk: Desk) -> None:
    """The same X-Request-Id and body again is a duplicate, whatever became of the referral since; nothing is added."""
    request = str(uuid.uuid4())
    first = await desk.send(x_request_id=request)
    assert (await desk.send(CANCELLED, media=XML)).status_code == 200
    again = await desk.send(x_request_id=request)
    assert issue(again) == (409, "REC_CONFLICT", "duplicate")
    assert again.headers["location"] == first.headers["location"]
    assert len(await desk.events()) == 2


async def test_a_cancellation_sent_twice_is_a_duplicate(desk: Desk) -> None:
    """Whoever never had the answer to its cancellation learns that it was taken, and not that it is in conflict."""
    await desk.send()
    request = str(uuid.uuid4())
    assert (await desk.send(CANCELLED, media=XML, x_request_id=request)).status_code == 200
    assert issue(await desk.send(CANCELLED, media=XML, x_request_id=request)) == (409, "REC_CONFLICT", "duplicate")


async def test_another_body_under_the_same_id_is_a_conflict(desk: Desk) -> None:
    """A message id is used once."""
    request = str(uuid.uuid4())
    await desk.send(x_request_id=request)
    assert issue(await desk.send(UPDATED, x_request_id=request)) == (409, "REC_CONFLICT", "conflict")


@pytest.mark.parametrize(
    ("again", "code"),
    [(NEW, "duplicate"), (changed(NEW, "routine", "stat"), "conflict")],
    ids=["with the same content", "with other content"],
)
async def test_a_referral_is_new_once(desk: Desk, again: bytes, code: str) -> None:
    """New for a referral that stands adds nothing: one id must never come to mean another patient."""
    await desk.send()
    assert issue(await desk.send(again)) == (409, "REC_CONFLICT", code)
    assert len(await desk.events()) == 1


async def test_a_cancelled_referral_does_not_come_back_as_new(desk: Desk) -> None:
    """After a cancellation, the same referral as new is a conflict."""
    await desk.send()
    await desk.send(CANCELLED, media=XML)
    assert issue(await desk.send()) == (409, "REC_CONFLICT", "conflict")


@pytest.mark.parametrize(("body", "media"), [(UPDATED, JSON), (CANCELLED, XML)], ids=["update", "cancellation"])
async def test_what_was_never_referred_is_neither_changed_nor_cancelled(desk: Desk, body: bytes, media: str) -> None:
    """An update or a cancellation of a referral nobody has is not found, and not committed."""
    assert issue(await desk.send(body, media=media)) == (404, "REC_NOT_FOUND", "not-found")
    assert await desk.events() == []


@pytest.mark.parametrize(("body", "media"), [(UPDATED, JSON), (CANCELLED, XML)], ids=["update", "cancellation"])
async def test_a_referral_is_changed_only_while_it_is_current(desk: Desk, body: bytes, media: str) -> None:
    """After a cancellation nothing changes a referral any more; a second cancellation is an error too."""
    await desk.send()
    await desk.send(CANCELLED, media=XML)
    assert issue(await desk.send(body, media=media)) == (409, "REC_CONFLICT", "conflict")
    assert len(await desk.events()) == 2


async def test_an_older_version_is_a_conflict(desk: Desk) -> None:
    """A cancellation made before the last update and arriving after it has no effect, and its sender is told."""
    await desk.send()
    await desk.send(UPDATED)
    late = changed(CANCELLED, "2026-01-14T16:41", "2026-01-13T16:41")
    assert issue(await desk.send(late, media=XML)) == (409, "REC_CONFLICT", "conflict")
    assert len(await desk.events()) == 2


async def test_another_sender_cannot_touch_a_referral(desk: Desk) -> None:
    """A party that signs in as itself and writes another's ODS code finds nothing to change, cancel, read or guess."""
    await desk.send()
    assert issue(await desk.send(CANCELLED, OTHER_PRACTICE, XML)) == (404, "REC_NOT_FOUND", "not-found")
    assert issue(await desk.read(signer=OTHER_PRACTICE)) == (404, "REC_NOT_FOUND", "not-found")
    assert len(await desk.events()) == 1
    assert (await desk.send(NEW, OTHER_PRACTICE)).status_code == 200
    assert (await desk.send(CANCELLED, OTHER_PRACTICE, XML)).status_code == 200
    assert [change for _, change in await desk.events()] == ["fact", "fact", "retraction"]
    assert (await desk.send(UPDATED)).status_code == 200


async def test_a_held_referral_can_be_cancelled(desk: Desk) -> None:
    """Taken and held for a code of ours: its sender is told 200, and may cancel it before it is ever translated."""
    assert (await desk.send(HELD)).status_code == 200
    own = "91f8f3a4-06f6-4a7e-9d43-28f9d6b1e501"
    assert (await desk.send(changed(CANCELLED, REFERRAL, own), media=XML)).status_code == 200
    assert await desk.events() == [("care.referred", "retraction")]


def test_what_was_cancelled_while_it_was_held_stays_cancelled() -> None:
    """Translated after its cancellation, a held referral is an older version of it, and reaches nobody."""
    index = BlindIndex(SECRETS.pepper)
    heads: dict[bytes, Head] = {}
    settling: dict[uuid.UUID, Settling] = {}

    def chained(body: bytes, media: str) -> Minted:
        outcome = ADAPTERS["gp"].read(Message(body, media, NOW))
        assert isinstance(outcome, Accepted)
        link = chain(outcome.facts[0], "practice", heads, settling, index, SECRETS.namespace, NOW, timedelta())
        assert isinstance(link, Minted)
        return link

    assert chained(CANCELLED, "application/fhir+xml").state is None
    assert chained(NEW, "application/fhir+json").state == "superseded"


@pytest.mark.parametrize("name", ["another-service.json", "validation.xml", "booking.json"])
async def test_what_nobody_here_acts_on_is_no_success(desk: Desk, name: str) -> None:
    """A sender that heard 200 would stop looking for a service. It is counted by its name, its content not kept."""
    request, media = str(uuid.uuid4()), XML if name.endswith("xml") else JSON
    for _ in range(2):
        answer = await desk.send((GP / "ignored" / name).read_bytes(), media=media, x_request_id=request)
        assert issue(answer) == (422, "REC_UNPROCESSABLE_ENTITY", "not-supported")
    async with desk.engine.connect() as connection:
        kept = await connection.execute(
            text("select r.state, r.reason, b.id from records r left join bodies b on b.record_id = r.id")
        )
        ((state, reason, body),) = kept.all()
    assert (state, body) == ("ignored", None)
    assert reason.startswith("bars.")


async def test_every_fault_is_an_issue(desk: Desk) -> None:
    """A refused message names each rule and field, and no value."""
    answer = await desk.send((GP / "refused/several-faults.json").read_bytes())
    assert issue(answer) == (422, "REC_UNPROCESSABLE_ENTITY", "invalid")
    issues = answer.json()["issue"]
    assert [one["diagnostics"].partition(":")[0] for one in issues] == ["GP-010", "GP-011", "GP-011"]
    assert issues[2]["expression"] == ["Patient.birthDate"]
    assert "last week" not in answer.text
    assert "Ellerby" not in answer.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nhsd_target_identifier", ""),
        ("nhsd_target_identifier", "not base64"),
        ("nhsd_target_identifier", base64.b64encode(b"[").decode()),
        ("nhsd_target_identifier", encoded({"value": SERVICE})),
        ("nhsd_target_identifier", encoded({"system": "x", "value": "x" * 5000})),
        ("x_request_id", ""),
        ("x_request_id", "1"),
        ("x_correlation_id", ""),
    ],
)
async def test_a_header_that_cannot_be_used_is_named(desk: Desk, name: str, value: Any) -> None:
    """The standard's headers are required, and told back by name and never by value."""
    answer = await desk.send(**{name: value})
    assert issue(answer) == (400, "REC_BAD_REQUEST", "invalid")
    assert answer.json()["issue"][0]["expression"] == [name.replace("_", "-")]
    assert await desk.events() == []


async def test_a_header_for_another_service_is_a_finding(desk: Desk) -> None:
    """Where header and message name different services the message is believed, and its receipt says so."""
    other = encoded({"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000049999"})
    answer = await desk.send(nhsd_target_identifier=other)
    assert answer.status_code == 200
    receipt = await desk.client.get(answer.headers["location"], headers=bearer(PRACTICE))
    assert [finding["rule"] for finding in receipt.json()["findings"]] == ["GP-038"]


async def test_who_may_not_send_is_told_so_in_the_standards_words(desk: Desk) -> None:
    """No token, another agency's sender, another media type, another method, too much: each an OperationOutcome."""
    assert issue(await desk.send(authorization="")) == (401, "SEND_UNAUTHORIZED", "security")
    assert issue(await desk.send(signer=FORCE)) == (404, "REC_NOT_FOUND", "not-found")
    assert issue(await desk.send(media="text/csv")) == (415, "REC_UNSUPPORTED_MEDIA_TYPE", "not-supported")
    assert issue(await desk.client.get(DOOR)) == (405, "REC_METHOD_NOT_ALLOWED", "not-supported")
    assert issue(await desk.send(b" " * (2 << 20))) == (413, "REC_UNPROCESSABLE_ENTITY", "too-long")


async def test_the_read_before_a_cancellation(desk: Desk) -> None:
    """A sender reads id, version and status of its own referral, before and after; no patient comes with it."""
    assert issue(await desk.read()) == (404, "REC_NOT_FOUND", "not-found")
    await desk.send()
    told = (await desk.read()).json()
    assert (told["resourceType"], told["id"], told["status"]) == ("ServiceRequest", REFERRAL, "active")
    assert told["meta"]["lastUpdated"] == "2026-01-12T10:20:00.000+00:00"
    assert "extension" in told["subject"]
    await desk.send(CANCELLED, media=XML)
    assert (await desk.read()).json()["status"] == "revoked"
    nameless: dict[str, Any] = {"nhsd-end-user-organisation": encoded({"resourceType": "Organization"})}
    answer = await desk.read(**nameless)
    assert issue(answer) == (400, "REC_BAD_REQUEST", "invalid")


@pytest.mark.parametrize("media", [JSON, XML])
async def test_hostile_bodies_are_refused_as_the_standard_refuses(desk: Desk, media: str) -> None:
    """Bombs, entities, broken JSON: 422 in the standard's words, at most a second of work each, nothing committed."""
    files = sorted(path for path in sample("hostile-input").rglob("*") if path.is_file())
    assert len(files) > 150
    for path in files:
        begun = process_time()
        answer = await desk.send(path.read_bytes(), media=media)
        assert process_time() - begun < 1, path.name
        assert issue(answer)[:2] == (422, "REC_UNPROCESSABLE_ENTITY"), path.name
    assert await desk.events() == []


class Away:
    """A store that does not answer."""

    def connect(self) -> Any:
        """As an engine does whose database is gone."""
        raise OperationalError("select", None, ConnectionRefusedError())


@pytest.mark.parametrize(
    ("fails", "waiting", "told"),
    [
        (JournalUnavailable("away"), 0, (503, "REC_SERVICE_UNAVAILABLE", "transient")),
        (None, 10**6, (429, "SEND_TOO_MANY_REQUESTS", "throttled")),
    ],
    ids=["journal down", "too busy"],
)
async def test_what_passes_is_told_as_passing(
    desk: Desk, fails: Exception | None, waiting: int, told: tuple[int, str, str]
) -> None:
    """Nothing was taken, and it may be sent again: transient and throttled say so, with a time to wait."""
    journal = FakeJournal(waiting=waiting, fails=fails)
    async with knocking(application(desk.engine, journal, adapters=ADAPTERS)) as client:
        answer = await client.post(DOOR, content=NEW, headers=headers())
    assert issue(answer) == told
    assert answer.headers["retry-after"] == "1"


async def test_a_store_that_is_away_is_transient() -> None:
    """The check that a referral is current fails like the commit does."""
    away: Any = Away()
    async with knocking(application(away, FakeJournal(), adapters=ADAPTERS)) as client:
        answer = await client.post(DOOR, content=NEW, headers=headers())
    assert issue(answer) == (503, "REC_SERVICE_UNAVAILABLE", "transient")


async def test_what_nobody_foresaw_is_told_without_a_word_of_it(desk: Desk) -> None:
    """A failure of ours is 500 in the standard's form, and quotes nothing."""
    journal = FakeJournal(fails=RuntimeError("Ellerby"))
    async with knocking(application(desk.engine, journal, adapters=ADAPTERS)) as client:
        answer = await client.post(DOOR, content=NEW, headers=headers())
    assert issue(answer) == (500, "REC_SERVER_ERROR", "exception")
    assert "Ellerby" not in answer.text
