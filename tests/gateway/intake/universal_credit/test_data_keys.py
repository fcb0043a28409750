"""Where data keys come from: a file, or Universal Credit's own service."""

import base64
import gzip
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from gateway.errors import ConfigurationError
from gateway.intake.universal_credit.data_keys import DataKeyService, KeyFile, KeyRefused, KeyServiceAway

KEY = bytes(range(16))
WRITTEN = base64.b64encode(KEY).decode()


@pytest.fixture
def asked() -> list[httpx.Request]:
    """What the service was asked."""
    return []


async def service(answer: Callable[[httpx.Request], httpx.Response]) -> AsyncIterator[DataKeyService]:
    """A service that answers so."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://dks.test") as client:
        yield DataKeyService(client)


async def test_a_file_opens_the_keys_that_are_in_it(tmp_path: Path) -> None:
    """And no other, under no other sealing key."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"cloudhsm:7,14": {"c2VhbGVk": WRITTEN}}))
    keys = KeyFile(file)
    assert await keys.data_key("cloudhsm:7,14", "c2VhbGVk") == KEY
    for key_id, sealed in (("cloudhsm:7,14", "other"), ("cloudhsm:1,2", "c2VhbGVk")):
        with pytest.raises(KeyRefused):
            await keys.data_key(key_id, sealed)


@pytest.mark.parametrize("text", [None, "", "[]", '{"a": 1}', '{"a": {"b": "no base64"}}', '{"a": {"b": 1}}'])
def test_a_file_that_is_none_stops_the_start(tmp_path: Path, text: str | None) -> None:
    """It is told what to set, and nothing of what stands in it."""
    file = tmp_path / "keys.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match="data keys"):
        KeyFile(file)


async def test_the_service_is_asked_once_for_a_key(asked: list[httpx.Request]) -> None:
    """As the department's own consumers ask: the id in the query, the sealed key as text."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"plaintextDataKey": WRITTEN})

    async for keys in service(answer):
        assert [await keys.data_key("cloudhsm:7,14", "c2VhbGVk") for _ in range(3)] == [KEY] * 3
    (request,) = asked
    assert request.method == "POST"
    assert request.url.path == "/datakey/actions/decrypt"
    assert request.url.params["keyId"] == "cloudhsm:7,14"
    assert request.url.params["correlationId"]
    assert request.content == b"c2VhbGVk"


async def test_many_keys_do_not_fill_the_memory(asked: list[httpx.Request]) -> None:
    """The oldest is forgotten, and asked for again."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"plaintextDataKey": WRITTEN})

    async for keys in service(answer):
        for number in [*range(1001), 0, 1000]:
            await keys.data_key("k", str(number))
    assert len(asked) == 1002


async def test_a_key_that_does_not_open_is_refused_for_good() -> None:
    """400 is how the service says so."""
    async for keys in service(lambda _: httpx.Response(400)):
        with pytest.raises(KeyRefused):
            await keys.data_key("k", "s")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"location": "https://elsewhere.test"}),
        httpx.Response(200, text="no json"),
        httpx.Response(200, json={"other": 1}),
        httpx.Response(200, json={"plaintextDataKey": "no base64!"}),
        httpx.Response(200, text="x" * 70_000),
    ],
)
async def test_anything_else_is_asked_again_later(answer: httpx.Response) -> None:
    """A service that is being set up must not put documents into quarantine."""
    async for keys in service(lambda _: answer):
        with pytest.raises(KeyServiceAway):
            await keys.data_key("k", "s")


async def test_an_answer_without_end_is_read_no_further_than_a_key_may_be() -> None:
    """However much more would come, or however it is packed."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield bytes(65536)

    async for keys in service(lambda _: httpx.Response(200, content=endless())):
        with pytest.raises(KeyServiceAway):
            await keys.data_key("k", "s")
    assert sent <= 4 * 65536
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(b"{}"))
    async for keys in service(lambda _: packed):
        with pytest.raises(KeyServiceAway, match="something else"):
            await keys.data_key("k", "s")


async def test_a_service_that_cannot_be_reached_is_away() -> None:
    """Nothing of the address or the key is told."""

    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("dks.test refused")

    async for keys in service(away):
        with pytest.raises(KeyServiceAway) as told:
            await keys.data_key("k", "s")
        assert "dks.test" not in str(told.value)
