"""Asking a service that means ill, or is broken in a way nobody meant."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from adapters.hmpps.api import LARGEST, Source, Unanswered, source_of

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
TOKEN = {"access_token": "abc", "expires_in": 3600}

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def hasty() -> Any:
    """Retries without the waits between them."""
    with stamina.set_testing(True, attempts=3):
        yield


async def asked(answer: Answer, token: Any = TOKEN, deadline: timedelta = timedelta(seconds=20)) -> Any:
    """What comes of asking a service that answers so."""

    def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=token) if request.url.path == "/token" else answer(request)

    source = Source("https://api.test", "https://sign-in.test/token", "us", "secret", deadline)
    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
        return await source.get(client, "/offenders", NOW)


async def reason(answer: Answer, **more: Any) -> str:
    """Why there is no answer."""
    with pytest.raises(Unanswered) as unanswered:
        await asked(answer, **more)
    return unanswered.value.unfilled.reason


async def test_nothing_is_unpacked() -> None:
    """No compression is asked for, and what comes compressed all the same is not read: it may be a bomb."""
    packed = gzip.compress(b"{}")
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["accept-encoding"])
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=packed)

    assert await reason(answer) == "source_answer_unreadable"
    assert seen == ["identity"]


async def test_an_answer_without_end_is_read_no_further_than_a_record_may_be() -> None:
    """It ends where it is too large, however much more would come."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield bytes(65536)

    assert await reason(lambda _: httpx.Response(200, content=endless())) == "source_answer_too_large"
    assert sent <= LARGEST + 2 * 65536


async def test_an_answer_that_drips_is_broken_off() -> None:
    """A byte now and then keeps no deadline from ending."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.001)

    told = await reason(lambda _: httpx.Response(200, content=drip()), deadline=timedelta(milliseconds=50))
    assert told == "source_unavailable"


async def test_a_redirect_is_followed_nowhere() -> None:
    """Whoever answers for the service does not choose whom we ask next."""
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(302, headers={"location": "http://169.254.169.254/latest/meta-data"})

    assert await reason(answer) == "source_unavailable"
    assert [url.host for url in seen] == ["api.test"]


@pytest.mark.parametrize("token", ["", "a\r\nx-other: 1", "\u00e9", None, 5])
async def test_a_token_that_is_none_signs_nobody_in(token: object) -> None:
    """It is no header, and breaks nothing."""
    assert await reason(lambda _: httpx.Response(200), token=TOKEN | {"access_token": token}) == "source_not_signed_in"


@pytest.mark.parametrize("seconds", [2**63, -(2**63), 0])
async def test_a_token_lasts_no_longer_than_can_be(seconds: int) -> None:
    """Whatever its service says of its end, it can be used for this question."""
    assert await asked(lambda _: httpx.Response(200, json={}), token=TOKEN | {"expires_in": seconds}) == {}


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    """By the option's name, and without what stands in it."""
    (tmp_path / "secret").write_text("s")
    options = {
        "token_url": "https://sign-in.test:port",
        "client_id": "us",
        "client_secret_file": str(tmp_path / "secret"),
        "api_url": "https://api.test",
    }
    with pytest.raises(ValueError, match=r"^token_url is no address$"):
        source_of(options, "api_url")
