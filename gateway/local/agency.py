"""A stand-in agency: the system of a police force or a prison, as far as the gateway sees it.

It signs in with its own key and sends over HTTP what it is given, and writes every acceptance down before it goes on:
what the gateway has said it took is what the gateway must account for.

`python -m gateway.local.agency SETTINGS.json` (see `Settings`). Its own door is `POST /{door}` with what to send
(`records` or `files`, the body and its content type as they are to be sent) and `GET /v1/...`, which asks the gateway
in the agency's name. Both answer what the gateway answered.
"""

import asyncio
import hashlib
import sys
from pathlib import Path

import aiohttp
import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from gateway.clock import system_clock
from gateway.local.client import Client

_LARGEST = 64 << 20
_PASSED_ON = ("content-type", "idempotency-key")


class Settings(BaseModel):
    """gateway: its address. feed: what is sent. client, key: what it signs in with. log: the file to write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway: str
    port: int
    feed: str
    client: str
    key: dict[str, str]
    log: Path


class Sender(Client):
    """A client that sends bytes as they are."""

    async def send(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Post these bytes. The status and the body of the answer."""
        told = headers | {"authorization": f"Bearer {await self.token()}"}
        async with self._session.post(self._base + path, data=body, headers=told) as answer:
            return answer.status, await answer.read()


class Outbox:
    """What was accepted: one JSON object a line, on disk before anything else happens."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab")

    def accepted(self, door: str, body: bytes, status: int, answer: bytes) -> None:
        """The gateway took this."""
        told = orjson.loads(answer)
        line = {
            "what": "accepted",
            "at": system_clock(),
            "door": door,
            "status": status,
            "hash": hashlib.sha256(body).hexdigest(),
            "receipt": told.get("receipt") or told.get("file"),
            "rows": told.get("rows"),
            "refused": told.get("refused"),
        }
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def application(settings: Settings, sender: Sender, outbox: Outbox) -> web.Application:
    """The agency's own door."""

    async def send(request: web.Request) -> web.Response:
        door = request.match_info["door"]
        body = await request.read()
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        status, answer = await sender.send(f"/v1/feeds/{settings.feed}/{door}", body, headers)
        if status in (200, 202):
            outbox.accepted(door, body, status, answer)
        return web.Response(status=status, body=answer, content_type="application/json")

    async def ask(request: web.Request) -> web.Response:
        status, answer = await sender.call("GET", request.path_qs)
        return web.Response(status=status, body=answer, content_type="application/json")

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="live")

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_get("/health", health)
    app.router.add_get("/v1/{path:.*}", ask)
    app.router.add_post("/{door:records|files}", send)
    return app


async def play(settings: Settings) -> None:
    """Play the agency until cancelled."""
    outbox = Outbox(settings.log)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            sender = Sender(session, settings.gateway, settings.client, settings.key)
            runner = web.AppRunner(application(settings, sender, outbox), access_log=None)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", settings.port).start()
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()
    finally:
        outbox.close()


if __name__ == "__main__":
    asyncio.run(play(Settings.model_validate_json(Path(sys.argv[1]).read_bytes())))
