"""The token endpoint, on the real store."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.settings import Store
from gateway.store import assertions
from gateway.store.ledger import open_engine
from tests.support.doors import (
    ASSERTION_TYPE,
    FORCE,
    ISSUER,
    NOW,
    OTHER_FORCE,
    FakeJournal,
    access,
    application,
    knocking,
)

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the application."""
    async with knocking(application(engine, FakeJournal())) as client:
        yield client


def form(assertion: str, **changed: Any) -> dict[str, str]:
    """A good token request, but for what is changed; None leaves a field out."""
    told = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return {name: value for name, value in (told | changed).items() if value is not None}


async def test_an_assertion_becomes_a_token(client: httpx.AsyncClient) -> None:
    """The token opens what its client may see, and no cache keeps it."""
    answer = await client.post("/oauth2/token", data=form(FORCE.assertion(), client_id=FORCE.id, scope="anything"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 600)
    assert access().from_header(f"Bearer {told['access_token']}").client == FORCE.id


async def test_an_assertion_serves_once(client: httpx.AsyncClient) -> None:
    """Sent again, or twenty times at once, one token comes of it."""
    assertion = FORCE.assertion()
    answers = await asyncio.gather(*(client.post("/oauth2/token", data=form(assertion)) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    again = await client.post("/oauth2/token", data=form(assertion))
    assert again.json()["error"] == "invalid_client"
    assert "used before" in again.json()["error_description"]


async def test_two_clients_may_use_the_same_jti(client: httpx.AsyncClient) -> None:
    """A jti is a client's own."""
    for signer in (FORCE, OTHER_FORCE):
        assert (await client.post("/oauth2/token", data=form(signer.assertion(jti="1")))).status_code == 200


async def test_used_assertions_are_forgotten_when_their_time_is_over(engine: AsyncEngine) -> None:
    """The table holds what could still be replayed, and not much more."""
    later = NOW + timedelta(hours=1)
    for number in range(5):
        assert await assertions.claim(engine, "c", bytes([number]), NOW + timedelta(minutes=5), NOW)
    assert not await assertions.claim(engine, "c", bytes([1]), NOW + timedelta(minutes=5), NOW)
    assert await assertions.claim(engine, "c", b"new", later + timedelta(minutes=5), later)
    async with engine.connect() as connection:
        assert (await connection.execute(text("select count(*) from assertions"))).scalar_one() == 1


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_assertion": None}, 401, "invalid_client"),
        ({"client_assertion_type": "urn:else"}, 401, "invalid_client"),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client"),
        ({"client_id": OTHER_FORCE.id}, 401, "invalid_client"),
        ({"client_assertion": OTHER_FORCE.assertion(aud="https://else.test")}, 401, "invalid_client"),
    ],
)
async def test_failures_are_oauths_own(
    client: httpx.AsyncClient, changed: dict[str, Any], status: int, error: str
) -> None:
    """Clients' libraries read RFC 6749 here, and a person reads the sentence."""
    answer = await client.post("/oauth2/token", data=form(FORCE.assertion(), **changed))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"].endswith(".")


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"{}", "application/json"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        ("a=é".encode(), "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(30)), "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded"),
        (b"", ""),
    ],
)
async def test_what_is_no_form_is_an_invalid_request(client: httpx.AsyncClient, body: bytes, media: str) -> None:
    """Another media type, a field twice, bytes that are no text, too many fields, too long."""
    answer = await client.post("/oauth2/token", content=body, headers={"content-type": media})
    assert (answer.status_code, answer.json()["error"]) in [(400, "invalid_request")]


async def test_a_token_cannot_be_had_with_get(client: httpx.AsyncClient) -> None:
    """Credentials do not travel in addresses."""
    answer = await client.get("/oauth2/token", params=form(FORCE.assertion()))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["type"] == "/problems/method-not-allowed"
    assert ISSUER not in answer.text
