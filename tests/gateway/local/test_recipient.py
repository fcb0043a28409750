"""The stand-in recipient, held to what a recipient must do: it is what other tests believe."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from gateway.delivery.signing import sign, write_key
from gateway.local import ports
from gateway.local.books import Books
from gateway.local.recipient import PartySettings, Rule, Settings, play
from gateway.sealing import Secrets, Signer

SECRETS = Secrets.generate()
SIGNER = Signer(SECRETS.signing)
KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}


class Gateway:
    """As much of a gateway as a recipient calls, and what it was told."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, str]] = []
        self.bodies: dict[str, bytes] = {}
        self.told = asyncio.Event()
        routes = APIRouter()

        @routes.get("/v1/keys")
        async def keys() -> dict[str, Any]:
            return {"keys": [write_key(public) for public in SIGNER.public_keys()]}

        @routes.post("/oauth2/token")
        async def token() -> dict[str, Any]:
            return {"access_token": "token", "token_type": "Bearer", "expires_in": 600}

        @routes.get("/v1/messages/{message}")
        async def read(message: str) -> Response:
            return Response(self.bodies[message], media_type="application/json")

        @routes.post("/v1/messages/{message}/receipt")
        async def answered(message: str, request: Request) -> dict[str, Any]:
            self.receipts.append((message, (await request.json())["result"]))
            self.told.set()
            return {}

        self.app = FastAPI()
        self.app.include_router(routes)

    async def until_told(self, count: int) -> None:
        """Wait for so many receipts."""
        async with asyncio.timeout(20):
            while len(self.receipts) < count:
                self.told.clear()
                await self.told.wait()


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway that listens, and its address."""
    gateway = Gateway()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(gateway.app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield gateway, f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
    listening.close()


@asynccontextmanager
async def playing(address: str, books: Path, *rules: Rule) -> AsyncIterator[str]:
    """A recipient that plays, and where it takes pushes."""
    (port,) = ports.free(1)
    party = PartySettings(party="lasars-a", client="a.system", key=KEY, books=books, script=rules)
    started = asyncio.Event()
    task = asyncio.create_task(play(Settings(gateway=address, port=port, parties=(party,)), started))
    await started.wait()
    yield f"http://127.0.0.1:{port}/lasars-a"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def document(name: str, **told: Any) -> bytes:
    """A message as the gateway writes it."""
    told = {"event": f"e-{name}", "change": "fact", "supersedes": None, "kind": "k", "role": "home", "data": {}} | told
    return orjson.dumps({"id": name, **told})


async def push(url: str, name: str, body: bytes, **changed: str) -> int:
    """Push a body, signed; the status of the answer, 0 where there was none."""
    headers = sign(SIGNER, name, datetime.now(UTC), body) | changed
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(url, data=body, headers=headers) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0


def lines(books: Path, what: str) -> list[dict[str, Any]]:
    """What the books say."""
    return [line for line in map(orjson.loads, books.read_bytes().splitlines()) if line["what"] == what]


async def test_a_message_sent_often_has_one_effect_and_one_receipt(
    gateway: tuple[Gateway, str], tmp_path: Path
) -> None:
    """Every arrival is in the books all the same."""
    told, address = gateway
    books = tmp_path / "books.jsonl"
    async with playing(address, books) as url:
        assert [await push(url, "d-1", document("d-1")) for _ in range(3)] == [204] * 3
        await told.until_told(1)
    assert len(lines(books, "arrived")) == 3
    assert len(lines(books, "applied")) == 1
    assert told.receipts == [("d-1", "accepted")]


async def test_what_the_gateway_did_not_sign_has_no_effect(gateway: tuple[Gateway, str], tmp_path: Path) -> None:
    """A body changed on the way, or another id: refused, and in the books."""
    _, address = gateway
    books = tmp_path / "books.jsonl"
    async with playing(address, books) as url:
        assert await push(url, "d-1", document("d-1"), **{"webhook-id": "d-2"}) == 401
    assert len(lines(books, "refused")) == 1
    assert lines(books, "applied") == []


async def test_a_notice_is_fetched(gateway: tuple[Gateway, str], tmp_path: Path) -> None:
    """Its effect is that of the message it speaks of."""
    told, address = gateway
    told.bodies["d-1"] = document("d-1")
    books = tmp_path / "books.jsonl"
    async with playing(address, books) as url:
        assert await push(url, "d-1", orjson.dumps({"id": "d-1", "kind": "k"})) == 204
        await told.until_told(1)
    assert [line["event"] for line in lines(books, "applied")] == ["e-d-1"]


async def test_it_behaves_by_script(gateway: tuple[Gateway, str], tmp_path: Path) -> None:
    """Down twice, cut off once, then well, with a story of its own to tell."""
    told, address = gateway
    rules = (
        Rule(times=2, status=503),
        Rule(times=1, status=0),
        Rule(receipts=({"result": "accepted"}, {"result": "assessment_missed"})),
    )
    async with playing(address, tmp_path / "books.jsonl", *rules) as url:
        assert [await push(url, "d-1", document("d-1")) for _ in range(4)] == [503, 503, 0, 204]
        await told.until_told(2)
    assert told.receipts == [("d-1", "accepted"), ("d-1", "assessment_missed")]


async def test_after_a_death_it_does_what_was_left_undone(gateway: tuple[Gateway, str], tmp_path: Path) -> None:
    """What had arrived has its effect, what had its effect is answered, and nothing happens twice."""
    told, address = gateway
    file = tmp_path / "books.jsonl"
    told.bodies["d-2"] = document("d-2")
    died = Books(file)
    died.arrived("d-1", "hash", 204)
    died.apply(orjson.loads(document("d-1")), None)
    died.arrived("d-2", "hash", 204)
    died.close()
    with file.open("ab") as half:
        half.write(b'{"what": "arri')
    async with playing(address, file):
        await told.until_told(2)
    assert sorted(told.receipts) == [("d-1", "accepted"), ("d-2", "accepted")]
    books = Books(file)
    assert books.applied == {"d-1": 1, "d-2": 1}
    books.close()


def test_a_retraction_takes_away_what_stood(tmp_path: Path) -> None:
    """And the books say whether what it takes back was known."""
    books = Books(tmp_path / "books.jsonl")
    books.apply(orjson.loads(document("d-1")), None)
    books.apply(orjson.loads(document("d-2", change="correction", supersedes="e-d-1")), None)
    assert books.heads == {"e-d-2": "d-2"}
    books.apply(orjson.loads(document("d-3", change="retraction", supersedes="e-d-2")), None)
    books.apply(orjson.loads(document("d-4", change="retraction", supersedes="e-unknown")), None)
    books.close()
    assert books.heads == {}
    assert [line["knew"] for line in lines(tmp_path / "books.jsonl", "applied")] == [None, True, True, False]
