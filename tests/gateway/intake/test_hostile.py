"""Hostile input at the doors: taken or refused, never a failure, and nothing altered."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from time import process_time

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.sealing import Sealer
from gateway.settings import Store
from gateway.store.data_keys import open_body
from gateway.store.ledger import open_engine
from tests.support.doors import FORCE, PRACTICE, PRISON, SECRETS, Signer, application, bearer, knocking, real_journal
from tests.support.samples import sample

pytestmark = pytest.mark.services

FOLDER = sample("hostile-input")
EVERY = sorted(path for path in FOLDER.rglob("*") if path.is_file())
STRINGS: list[str] = json.loads((FOLDER / "blns_half.json").read_text())
NEED = "prison-drug-team.need.identified"
RECORDS = [
    (FORCE, "police_custody", "application/xml"),
    (FORCE, "police_custody", "text/csv"),
    (PRISON, "prison", "application/json"),
    (PRACTICE, "gp", "application/fhir+json"),
    (PRACTICE, "gp", "application/fhir+xml"),
]
FILES = [(FORCE, "police_custody", "text/csv"), (PRISON, "prison", "application/x-ndjson")]


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the application on the real journal."""
    async with real_journal(engine) as journal, knocking(application(engine, journal)) as client:
        yield client


async def check(engine: AsyncEngine, answer: httpx.Response, sent: bytes) -> None:
    """The answer is a receipt or a refusal, and what is kept is what was sent."""
    assert answer.status_code in (200, 202, 422), answer.text
    told = answer.json()
    kept = told.get("receipt") or told.get("refusal")
    if kept is None or told.get("state") == "ignored":
        return
    async with engine.connect() as connection:
        opened = await open_body(connection, Sealer(SECRETS.kek), uuid.UUID(kept))
    assert opened is not None
    assert opened[0] == sent


@pytest.mark.parametrize(("signer", "agency", "media"), RECORDS)
async def test_every_hostile_file_as_a_record(
    client: httpx.AsyncClient, engine: AsyncEngine, signer: Signer, agency: str, media: str
) -> None:
    """No 5xx, at most a second of work each, and the bytes kept are the bytes sent."""
    assert len(EVERY) > 150
    for path in EVERY:
        body = path.read_bytes()
        begun = process_time()
        answer = await client.post(
            f"/v1/feeds/{agency}/records", content=body, headers=bearer(signer) | {"content-type": media}
        )
        assert process_time() - begun < 1, path.name
        await check(engine, answer, body)


@pytest.mark.parametrize(("signer", "agency", "media"), FILES)
async def test_every_hostile_file_as_a_batch(
    client: httpx.AsyncClient, engine: AsyncEngine, signer: Signer, agency: str, media: str
) -> None:
    """No 5xx, whatever the rows are cut from."""

    async def send(name: str, body: bytes) -> None:
        headers = bearer(signer) | {"content-type": media}
        answer = await client.post(f"/v1/feeds/{agency}/files", content=body, headers=headers)
        assert answer.status_code in (200, 202, 422), name
        report = await client.get(answer.json()["links"]["report"], headers=headers)
        assert report.status_code == 200, name

    bodies = [(path.name, path.read_bytes()) for path in EVERY]
    for start in range(0, len(bodies), 8):
        await asyncio.gather(*(send(name, body) for name, body in bodies[start : start + 8]))


async def test_every_naughty_string_where_a_value_may_stand(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    """As an event type and as a prison number: taken or refused, and a refusal never quotes it."""
    assert len(STRINGS) > 200

    async def send(string: str, **told: object) -> None:
        body = json.dumps(told).encode()
        headers = bearer(PRISON) | {"content-type": "application/json"}
        answer = await client.post("/v1/feeds/prison/records", content=body, headers=headers)
        await check(engine, answer, body)
        if len(string) > 12 and answer.status_code == 422:
            assert string not in answer.text

    for string in STRINGS:
        await asyncio.gather(send(string, eventType=string), send(string, eventType=NEED, version=1, nomsNumber=string))
