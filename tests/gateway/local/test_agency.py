"""A stand-in agency passes on exactly what it is given, and has written down every acceptance before it goes on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from watchfiles import awatch

from gateway.local.agency import Agency, AgencySettings, Outbox, Sender, application
from gateway.local.installation import prepare

REPORT = b"UNB+UNOA:2+TES5+XX11'"


@dataclass
class Gateway:
    """What a gateway would be asked, and the status it answers records with. body: in whatever protocol."""

    status: int = 202
    body: bytes = b'{"receipt": "r1", "state": "validated"}'
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def application(self) -> web.Application:
        """Its token endpoint and its front door."""

        async def token(_: web.Request) -> web.Response:
            return web.json_response({"access_token": "t", "expires_in": 600})

        async def take(request: web.Request) -> web.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.asked.append((request.path, headers, await request.read()))
            kind = "application/json" if self.body.startswith(b"{") else "application/edifact"
            return web.Response(
                status=self.status, body=self.body, content_type=kind, headers={"location": "/v1/receipts/r1"}
            )

        async def tell(request: web.Request) -> web.Response:
            seen = [request.headers.get(name) for name in ("authorization", "nhsd-end-user-organisation")]
            return web.json_response({"path": request.path_qs, "seen": seen})

        app = web.Application()
        app.router.add_post("/oauth2/token", token)
        app.router.add_post("/v1/feeds/{path:.*}", take)
        app.router.add_post("/$process-message", take)
        app.router.add_get("/{path:.*}", tell)
        return app


@dataclass
class Scenery:
    """A gateway, the agency's own door, its folder and its log."""

    gateway: Gateway
    door: str
    folder: Path
    log: Path
    session: aiohttp.ClientSession

    async def send(self, body: bytes, door: str = "records", **headers: str) -> tuple[int, bytes]:
        """Have something sent; status and answer. Headers are spelled with underscores."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(f"{self.door}/{door}", data=body, headers=told) as answer:
            return answer.status, await answer.read()

    def written(self) -> list[dict[str, object]]:
        """The lines of the log."""
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()]


@pytest.fixture
async def scenery(tmp_path: Path) -> AsyncIterator[Scenery]:
    """One agency that sends to one gateway."""
    gateway, log, folder = Gateway(), tmp_path / "sent.jsonl", tmp_path / "drop"
    folder.mkdir()
    async with TestServer(gateway.application()) as server, aiohttp.ClientSession() as session:
        settings = AgencySettings(
            agency="met-police",
            feed="police_custody",
            client="met-police",
            key=prepare(tmp_path / "own", lambda _: 1).key("met-police"),
            log=log,
            folder=folder,
        )
        outbox = Outbox(log)
        sender = Sender(session, str(server.make_url("")).rstrip("/"), settings.client, settings.key)
        played = {settings.agency: Agency(settings, sender, outbox)}
        async with TestServer(application(played)) as own:
            yield Scenery(gateway, str(own.make_url("/met-police")), folder, log, session)
        outbox.close()


async def test_bytes_and_headers_arrive_as_they_were_given(scenery: Scenery) -> None:
    """Body and headers are passed on unchanged, to the agency's own feed."""
    status, _ = await scenery.send(b"\xff\x00 as it is", content_type="application/xml", idempotency_key="id-1")
    (asked,) = scenery.gateway.asked
    assert (status, asked[0], asked[2]) == (202, "/v1/feeds/police_custody/records", b"\xff\x00 as it is")
    assert (asked[1]["content-type"], asked[1]["idempotency-key"]) == ("application/xml", "id-1")


async def test_a_message_goes_to_the_standards_own_door(scenery: Scenery) -> None:
    """BaRS has a path and headers of its own, and answers 200 to what it takes."""
    scenery.gateway.status = 200
    await scenery.send(b"{}", "messages", x_request_id="m1", nhsd_target_identifier="t1")
    ((path, headers, _),) = scenery.gateway.asked
    assert (path, headers["x-request-id"], headers["nhsd-target-identifier"]) == ("/$process-message", "m1", "t1")
    assert [line["receipt"] for line in scenery.written()] == ["r1"]


async def test_an_acceptance_is_written_before_it_is_told(scenery: Scenery) -> None:
    """When the answer is there, the receipt is in the log, without anything of the body."""
    await scenery.send(b"<secret/>")
    (line,) = scenery.written()
    assert (line["what"], line["door"], line["status"], line["receipt"]) == ("accepted", "records", 202, "r1")
    assert "secret" not in scenery.log.read_text()


async def test_an_answer_in_another_protocol_is_an_acceptance_too(scenery: Scenery) -> None:
    """A receipt report says nothing of receipts of ours: where it is, the answer's Location says."""
    scenery.gateway.body = REPORT
    assert await scenery.send(b"UNB") == (202, REPORT)
    assert [line["receipt"] for line in scenery.written()] == ["r1"]


async def test_a_refusal_is_no_acceptance(scenery: Scenery) -> None:
    """What was not accepted is answered, and not written."""
    scenery.gateway.status = 422
    assert (await scenery.send(b"<bad/>"))[0] == 422
    assert scenery.written() == []


@pytest.mark.parametrize(
    ("place", "receipt", "status", "logged"),
    [
        ("done", {"file": "f1", "rows": 41, "refused": 2, "links": {"report": "/v1/files/f1"}}, 202, [("f1", 41, 2)]),
        ("refused", {"status": 422, "errors": []}, 422, []),
    ],
)
async def test_a_file_is_laid_down_and_its_receipt_waited_for(
    scenery: Scenery, place: str, receipt: dict[str, object], status: int, logged: list[tuple[object, ...]]
) -> None:
    """A file gets its name when it is whole, and is answered what its receipt says; only what was taken is written."""
    sending = asyncio.create_task(scenery.send(b"a night", "drop/night.txt"))
    async with asyncio.timeout(10):
        async for _ in awatch(scenery.folder, rust_timeout=50, yield_on_timeout=True):
            if (scenery.folder / "night.txt").exists():
                break
    assert (scenery.folder / "night.txt").read_bytes() == b"a night"
    (scenery.folder / place).mkdir()
    unfinished = scenery.folder / place / ".unfinished"
    unfinished.write_bytes(orjson.dumps(receipt))
    unfinished.rename(scenery.folder / place / "night.txt.receipt.json")
    assert await sending == (status, orjson.dumps(receipt))
    assert [(line["receipt"], line["rows"], line["refused"]) for line in scenery.written()] == logged


async def test_questions_are_asked_in_the_agencys_name(scenery: Scenery) -> None:
    """Anything of the gateway is asked for with the agency's own token."""
    headers = {"nhsd-end-user-organisation": "o1"}
    async with scenery.session.get(f"{scenery.door}/ServiceRequest/s1?x=1", headers=headers) as answer:
        assert await answer.json() == {"path": "/ServiceRequest/s1?x=1", "seen": ["Bearer t", "o1"]}


async def test_nobody_sends_for_an_agency_that_is_not_played(scenery: Scenery) -> None:
    """There is no door of another."""
    async with scenery.session.post(scenery.door.replace("met-police", "dwp") + "/records", data=b"") as answer:
        assert answer.status == 404
    assert scenery.gateway.asked == []
