"""Stand-in agencies: the systems of those who send, as far as the gateway sees them.

Each signs in with its own key and sends what it is given, over HTTP or through its folder, and writes every acceptance
down before it goes on: what the gateway has said it took is what the gateway must account for. One process plays
several, each under its own path.

`python -m gateway.local.agency SETTINGS.json` (see `Settings`). An agency's own door is `POST /{agency}/{door}` with
what to send (body, content type and headers as they are to be sent) and `GET /{agency}/...`, which asks the gateway in
the agency's name. Both answer what the gateway answered.
"""

import asyncio
import hashlib
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from gateway.clock import system_clock
from gateway.local.client import Client

_LARGEST = 64 << 20
_SENT_ON = (
    "content-type",
    "idempotency-key",
    "nhsd-target-identifier",
    "nhsd-end-user-organisation",
    "x-correlation-id",
    "x-request-id",
)
_TOLD = ("content-type", "location")
_LOOK = 0.05
"""Seconds between two looks for the receipt of a file that was laid down."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgencySettings(_Part):
    """One agency. feed: what it sends. client, key: what it signs in with (a private JWK). log: the file to write.

    folder: where it may lay files, if it has one.
    """

    agency: str
    feed: str
    client: str
    key: dict[str, Any]
    log: Path
    folder: Path | None = None


class Settings(_Part):
    """gateway: its address. port: where to listen."""

    gateway: str
    port: int
    agencies: tuple[AgencySettings, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answered. headers: those an agency looks at, in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sender(Client):
    """A client that sends bytes as they are."""

    async def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Post these bytes. The status and the body of the answer."""
        answer = await self.exchange("POST", path, body, headers)
        return answer.status, answer.body

    async def exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Ask something with these headers, and say everything of the answer that matters."""
        told = {**headers, "authorization": f"Bearer {await self.token()}"}
        async with self._session.request(method, self._base + path, data=body, headers=told) as answer:
            seen = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
            return Answer(answer.status, seen, await answer.read())


class Outbox:
    """What was accepted: one JSON object a line, on disk before anything else happens."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab")

    def accepted(self, door: str, body: bytes, answer: Answer) -> None:
        """The gateway took this. It says where the receipt is, whatever protocol the answer itself is in."""
        counts = orjson.loads(answer.body) if _is_json(answer) else {}
        line = {
            "what": "accepted",
            "at": system_clock(),
            "door": door,
            "status": answer.status,
            "hash": hashlib.sha256(body).hexdigest(),
            "receipt": answer.headers["location"].rpartition("/")[2],
            "rows": counts.get("rows"),
            "refused": counts.get("refused"),
        }
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency's system."""

    settings: AgencySettings
    sender: Sender
    outbox: Outbox

    async def send(self, door: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send this to a feed's door (`records`, `files`), or as BaRS does (`messages`)."""
        path = "/$process-message" if door == "messages" else f"/v1/feeds/{self.settings.feed}/{door}"
        answer = await self.sender.exchange("POST", path, body, headers)
        if answer.status in (200, 202):
            self.outbox.accepted(door, body, answer)
        return answer

    async def lay(self, name: str, body: bytes) -> Answer:
        """Lay a file into the folder, and wait for its receipt; what the same file would have been answered over HTTP.

        Raises ValueError for an agency without a folder, and for a name whose receipts could not be told apart.
        """
        folder = self.settings.folder
        if folder is None:
            raise ValueError("this agency has no folder")
        receipts = [folder / place / f"{name}.receipt.json" for place in ("done", "refused")]
        awaited = [one for one in receipts if not one.exists()]
        if not awaited:
            raise ValueError("a file of this name was taken before, and another refused")
        unfinished = folder / f"{name}.part"
        unfinished.write_bytes(body)
        unfinished.rename(folder / name)
        answer = _as_over_http(await _laid(awaited))
        if answer.status == 202:
            self.outbox.accepted("files", body, answer)
        return answer


async def _laid(receipts: Sequence[Path]) -> bytes:
    """The first of these receipts that comes to lie there."""
    while True:
        for receipt in receipts:
            if receipt.exists():
                return receipt.read_bytes()
        await asyncio.sleep(_LOOK)


def _as_over_http(receipt: bytes) -> Answer:
    document: dict[str, Any] = orjson.loads(receipt)
    report = document.get("links", {}).get("report")
    headers = {"content-type": "application/json"} | ({"location": report} if report else {})
    return Answer(document.get("status", 202), headers, receipt)


def application(agencies: Mapping[str, Agency]) -> web.Application:
    """The agencies' own doors."""

    def of(request: web.Request) -> Agency:
        agency = agencies.get(request.match_info["agency"])
        if agency is None:
            raise web.HTTPNotFound
        return agency

    async def send(request: web.Request) -> web.Response:
        return _told(await of(request).send(request.match_info["door"], await request.read(), _sent_on(request)))

    async def lay(request: web.Request) -> web.Response:
        return _told(await of(request).lay(request.match_info["name"], await request.read()))

    async def ask(request: web.Request) -> web.Response:
        path = request.path_qs.removeprefix(f"/{request.match_info['agency']}")
        return _told(await of(request).sender.exchange("GET", path, None, _sent_on(request)))

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="live")

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_get("/health", health)
    app.router.add_get("/{agency}/{path:.*}", ask)
    app.router.add_post("/{agency}/{door:records|files|messages}", send)
    app.router.add_post("/{agency}/drop/{name}", lay)
    return app


def _sent_on(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _SENT_ON if name in request.headers}


def _told(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def _is_json(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").partition(";")[0].endswith("json")


async def play(settings: Settings) -> None:
    """Play the agencies until cancelled."""
    with ExitStack() as stack:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            played = {}
            for one in settings.agencies:
                outbox = Outbox(one.log)
                stack.callback(outbox.close)
                sender = Sender(session, settings.gateway, one.client, one.key)
                played[one.agency] = Agency(one, sender, outbox)
            runner = web.AppRunner(application(played), access_log=None)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", settings.port).start()
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(play(Settings.model_validate_json(Path(sys.argv[1]).read_bytes())))
