"""A stand-in agency passes on exactly what it is given, and has written down every acceptance before it goes on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.local.agency import Outbox, Sender, Settings, application
from gateway.local.installation import prepare


@dataclass
class Gateway:
    """What a gateway would be asked, and the status it answers records with."""

    status: int = 202
    asked: list[tuple[str, str | None, bytes]] = field(default_factory=list)

    def application(self) -> web.Application:
        """Its token endpoint and its front door."""

        async def token(_: web.Request) -> web.Response:
            return web.json_response({"access_token": "t", "expires_in": 600})

        async def take(request: web.Request) -> web.Response:
            self.asked.append((request.path, request.headers.get("idempotency-key"), await request.read()))
            return web.json_response({"receipt": "r1", "state": "validated"}, status=self.status)

        async def tell(request: web.Request) -> web.Response:
            return web.json_response({"path": request.path_qs, "bearer": request.headers["authorization"]})

        app = web.Application()
        app.router.add_post("/oauth2/token", token)
        app.router.add_post("/v1/feeds/{path:.*}", take)
        app.router.add_get("/v1/{path:.*}", tell)
        return app


@dataclass
class Scenery:
    """A gateway, the agency's own door, and its log."""

    gateway: Gateway
    door: str
    log: Path
    session: aiohttp.ClientSession

    async def send(self, body: bytes, key: str) -> int:
        """Have something sent; the status."""
        headers = {"content-type": "application/xml", "idempotency-key": key}
        async with self.session.post(f"{self.door}/records", data=body, headers=headers) as answer:
            return answer.status

    def written(self) -> list[dict[str, object]]:
        """The lines of the log."""
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()]


@pytest.fixture
async def scenery(tmp_path: Path) -> AsyncIterator[Scenery]:
    """One agency that sends to one gateway."""
    gateway, log = Gateway(), tmp_path / "sent.jsonl"
    async with TestServer(gateway.application()) as server, aiohttp.ClientSession() as session:
        settings = Settings(
            gateway=str(server.make_url("")).rstrip("/"),
            port=0,
            feed="police_custody",
            client="met-police",
            key=prepare(tmp_path / "own", lambda _: 1).key("met-police"),
            log=log,
        )
        outbox = Outbox(log)
        sender = Sender(session, settings.gateway, settings.client, settings.key)
        async with TestServer(application(settings, sender, outbox)) as own:
            yield Scenery(gateway, str(own.make_url("")).rstrip("/"), log, session)
        outbox.close()


async def test_bytes_arrive_as_they_were_given(scenery: Scenery) -> None:
    """Body and message id are passed on unchanged, to the agency's own feed."""
    assert await scenery.send(b"\xff\x00 as it is", "id-1") == 202
    assert scenery.gateway.asked == [("/v1/feeds/police_custody/records", "id-1", b"\xff\x00 as it is")]


async def test_an_acceptance_is_written_before_it_is_told(scenery: Scenery) -> None:
    """When the answer is there, the receipt is in the log, without anything of the body."""
    await scenery.send(b"<secret/>", "id-1")
    (line,) = scenery.written()
    assert (line["what"], line["door"], line["status"], line["receipt"]) == ("accepted", "records", 202, "r1")
    assert "secret" not in scenery.log.read_text()


async def test_a_refusal_is_no_acceptance(scenery: Scenery) -> None:
    """What was not accepted is answered, and not written."""
    scenery.gateway.status = 422
    assert await scenery.send(b"<bad/>", "id-1") == 422
    assert scenery.written() == []


async def test_questions_are_asked_in_the_agencys_name(scenery: Scenery) -> None:
    """A receipt is asked for with the agency's own token."""
    async with scenery.session.get(f"{scenery.door}/v1/receipts/r1?x=1") as answer:
        assert await answer.json() == {"path": "/v1/receipts/r1?x=1", "bearer": "Bearer t"}
