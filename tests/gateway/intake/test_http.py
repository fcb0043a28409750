"""The application as a whole: its document, its silence, and what it answers while the store is away."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.intake.entry import Clash, Entry, Taken
from gateway.local import ports
from tests.gateway.intake.test_take import BAD, GOOD, RECORDS, XML
from tests.support.doors import ASSERTION_TYPE, FORCE, FakeJournal, application, bearer, knocking


@pytest.fixture
def away() -> AsyncEngine:
    """An engine whose database does not answer."""
    (port,) = ports.free(1)
    return create_async_engine(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/none")


def references(told: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(told, dict):
        if isinstance(told.get("$ref"), str):
            yield told["$ref"]
        for value in told.values():
            yield from references(value)
    if isinstance(told, list):
        for value in told:
            yield from references(value)


async def document(engine: AsyncEngine) -> dict[str, Any]:
    """The OpenAPI document, as it is served; twice, because it is kept."""
    async with knocking(application(engine, FakeJournal())) as client:
        first = await client.get("/openapi.json")
        assert (await client.get("/openapi.json")).content == first.content
    told: dict[str, Any] = first.json()
    return told


async def test_every_operation_is_described(away: AsyncEngine) -> None:
    """Summary, tag, who may call, and what can go wrong, for the framework's routes and for our own."""
    told = await document(away)
    assert {"/v1/feeds/{agency}/records", "/v1/feeds/{agency}/files", "/oauth2/token", "/v1/files/{file}"} <= told[
        "paths"
    ].keys()
    assert {"/$process-message", "/ServiceRequest/{id}"} <= told["paths"].keys()
    tags = {tag["name"] for tag in told["tags"]}
    for path, operations in told["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert set(operation["tags"]) <= tags, path
            if path.startswith("/v1/"):
                assert operation["security"] == [{"client": []}], path
                assert {"401", "404", "500", "503"} <= operation["responses"].keys(), path
                assert "422" not in operation["responses"] or "feeds" in path


async def test_every_reference_leads_somewhere(away: AsyncEngine) -> None:
    """The document stands alone, and nothing of the framework's own failures is in it."""
    told = await document(away)
    for reference in references(told):
        assert reference.removeprefix("#/components/schemas/") in told["components"]["schemas"]
    assert "HTTPValidationError" not in str(told)


async def test_the_answers_are_as_described(away: AsyncEngine) -> None:
    """A receipt, and every problem this application can answer without a store, hold against the document's schemas."""
    told = await document(away)

    def holds(name: str, answer: httpx.Response) -> None:
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": told["components"]}).validate(
            answer.json()
        )

    async with knocking(application(away, FakeJournal(), max_record=20_000)) as client:
        headers = bearer() | XML
        taken = await client.post(RECORDS, content=GOOD, headers=headers | {"idempotency-key": "1"})
        assert taken.status_code == 202
        holds("Taken", taken)
        problems = [
            await client.post(RECORDS, content=GOOD + b" ", headers=headers | {"idempotency-key": "1"}),
            await client.post(RECORDS, content=GOOD),
            await client.post(RECORDS, content=b"x" * 20_001, headers=headers),
            await client.post(RECORDS, content=GOOD, headers=headers | {"content-type": "text/plain"}),
            await client.get("/v1/files/none?after=-1", headers=headers),
            await client.get("/v1/receipts/none", headers=headers),
            await client.put(RECORDS, headers=headers),
        ]
    assert [answer.status_code for answer in problems] == [409, 401, 413, 415, 400, 404, 405]
    for answer in problems:
        holds("Problem", answer)


async def test_while_the_store_is_away_nothing_is_a_2xx(away: AsyncEngine) -> None:
    """A refusal that cannot be kept, a receipt, a report, a token and a file: 503 with Retry-After, each a problem."""
    known = "/v1/receipts/019a2f04-6c3e-7d10-9b52-4f8a1c2e7d33"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": FORCE.assertion(),
    }
    async with knocking(application(away, FakeJournal())) as client:
        headers = bearer() | XML
        answers = [
            await client.post(RECORDS, content=BAD, headers=headers),
            await client.get(known, headers=headers),
            await client.get(known.replace("receipts", "files"), headers=headers),
            await client.post("/oauth2/token", data=form),
            await client.post(
                RECORDS.replace("records", "files"), content=b"x", headers=headers | {"content-type": "text/csv"}
            ),
        ]
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["type"] == "/problems/unavailable"
    await away.dispose()


async def test_a_record_passes_by_the_framework_and_is_answered_as_everything_is(away: AsyncEngine) -> None:
    """Its door needs no route; what fails there is a problem all the same, and other methods have their 405."""

    class Failing(FakeJournal):
        async def take(self, entry: Entry) -> Taken | Clash:
            raise ValueError("quoted")

    working, failing = application(away, FakeJournal()), application(away, Failing())
    async with knocking(working) as client:
        other = await client.get(RECORDS)
    for app in (working, failing):
        app.router.routes.clear()
    async with knocking(working) as client:
        good = await client.post(RECORDS, content=GOOD, headers=bearer() | XML)
        unsigned = await client.post(RECORDS, content=GOOD, headers=XML)
        elsewhere = await client.post(f"{RECORDS}/more", content=GOOD, headers=bearer() | XML)
    async with knocking(failing) as client:
        failed = await client.post(RECORDS, content=GOOD, headers=bearer() | XML)
    assert good.status_code == 202
    for answer, status in ((other, 405), (unsigned, 401), (elsewhere, 404), (failed, 500)):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert "quoted" not in answer.text


async def test_no_answer_says_what_it_runs_on(away: AsyncEngine) -> None:
    """No banner, and no page that loads from elsewhere."""
    async with knocking(application(away, FakeJournal())) as client:
        for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert not {"server", "x-powered-by"} & set(answer.headers)
