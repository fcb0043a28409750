"""A stand-in recipient: what a LASARS's own system would do with what it is sent, on one machine, for demo and tests.

It verifies each signature over the raw bytes, writes every arrival into its books before it answers, lets each
delivery have its effect once, and then answers through the gateway's API as a client of its own. One process plays
several parties, each under its own path; a party without push can be told to collect from its mailbox instead.

`python -m gateway.local.recipient SETTINGS.json` (see `Settings`). A script makes a party behave badly, or answer in
its own way; `PUT /{party}/script` changes it while it runs.
"""

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter

from gateway.clock import system_clock
from gateway.delivery.signing import NotSigned, verify
from gateway.local.books import Books
from gateway.local.client import Client
from gateway.telemetry import configure, log

_AGAIN = timedelta(milliseconds=500)
_LARGEST = 4 << 20
_ANSWERING = 4
"""Receipts a party tells at once."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Part):
    """What to do with some messages. The first rule that fits and has turns left decides.

    kind, change, role: which messages; None fits all. times: how many turns it has, None for ever. status: what to
    answer; 0 cuts the connection without an answer. wait: seconds before answering. receipts: what to tell by receipt,
    in that order, once.
    """

    kind: str | None = None
    change: str | None = None
    role: str | None = None
    times: int | None = None
    status: int = 204
    wait: float = 0
    receipts: tuple[dict[str, str], ...] = ({"result": "accepted"},)

    def fits(self, message: Mapping[str, Any]) -> bool:
        """Whether this message is meant."""
        told = {"kind": self.kind, "change": self.change, "role": self.role}
        return all(value is None or message.get(name) == value for name, value in told.items())


class PartySettings(_Part):
    """One party that is played. client, key: what it signs in with (a private JWK). books: the file to write."""

    party: str
    client: str
    key: dict[str, Any]
    books: Path
    mailbox: bool = False
    script: tuple[Rule, ...] = ()


class Settings(_Part):
    """gateway: its address. host, port: where to listen."""

    gateway: str
    host: str = "127.0.0.1"
    port: int
    parties: tuple[PartySettings, ...]


class Recipient:
    """One party's system."""

    def __init__(self, settings: PartySettings, client: Client, keys: list[str]) -> None:
        self._settings = settings
        self._client = client
        self._keys = keys
        self.books = Books(settings.books)
        self.script(settings.script)
        self._to_fetch: asyncio.Queue[tuple[str, Rule]] = asyncio.Queue()
        self._to_answer: asyncio.Queue[tuple[str, Rule]] = asyncio.Queue()

    def script(self, rules: tuple[Rule, ...]) -> None:
        """Behave like this from now on."""
        self._rules = [(rule, rule.times) for rule in rules]

    async def arrive(self, request: web.Request) -> web.Response:
        """Take one push."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            delivery = verify(self._keys, headers, body, system_clock())
        except NotSigned as fault:
            self.books.refused(str(fault))
            return web.Response(status=401)
        message = orjson.loads(body)
        rule = self._rule(message)
        self.books.arrived(delivery, hashlib.sha256(body).hexdigest(), rule.status)
        await asyncio.sleep(rule.wait)
        if 200 <= rule.status <= 299:
            self._take(delivery, message, rule)
        if rule.status == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=rule.status or 500)

    async def run(self) -> None:
        """Fetch, collect and answer for ever; first what a death left undone."""
        for delivery in self.books.unapplied:
            self._to_fetch.put_nowait((delivery, self._rule({})))
        for delivery in self.books.applied:
            self._to_answer.put_nowait((delivery, self._rule({})))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fetch())
            for _ in range(_ANSWERING):
                group.create_task(self._answer())
            if self._settings.mailbox:
                group.create_task(self._collect())

    def _take(self, delivery: str, message: dict[str, Any], rule: Rule) -> None:
        """Let a whole message have its effect now; fetch what a notice speaks of."""
        if "data" in message:
            if self.books.apply(message, None):
                self._to_answer.put_nowait((delivery, rule))
        else:
            self._to_fetch.put_nowait((delivery, rule))

    async def _fetch(self) -> None:
        while True:
            delivery, rule = await self._to_fetch.get()
            status, body = await self._call("GET", f"/v1/messages/{delivery}")
            if status == 200 and self.books.apply(orjson.loads(body), None):
                self._to_answer.put_nowait((delivery, rule))

    async def _collect(self) -> None:
        """Take from the mailbox, from where the books end."""
        cursor = self.books.position
        while True:
            status, body = await self._call("GET", f"/v1/mailbox?after={cursor}&wait=20")
            page: dict[str, Any] = orjson.loads(body) if status == 200 else {"notices": [], "cursor": cursor}
            for notice in page["notices"]:
                delivery = notice["id"]
                status, body = await self._call("GET", f"/v1/messages/{delivery}")
                if status == 200:
                    self.books.arrived(delivery, hashlib.sha256(body).hexdigest(), status)
                    if self.books.apply(orjson.loads(body), notice["position"]):
                        self._to_answer.put_nowait((delivery, self._rule(notice)))
            cursor = page["cursor"]

    async def _answer(self) -> None:
        while True:
            delivery, rule = await self._to_answer.get()
            for receipt in rule.receipts:
                if (delivery, receipt["result"]) not in self.books.answered:
                    status, _ = await self._call("POST", f"/v1/messages/{delivery}/receipt", receipt)
                    self.books.answer(delivery, receipt["result"], status)

    def _rule(self, message: Mapping[str, Any]) -> Rule:
        for place, (rule, left) in enumerate(self._rules):
            if left != 0 and rule.fits(message):
                self._rules[place] = rule, None if left is None else left - 1
                return rule
        return Rule()

    async def _call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Call the gateway, for as long as it takes."""
        while True:
            try:
                status, told = await self._client.call(method, path, body)
            except (aiohttp.ClientError, TimeoutError, OSError):
                status, told = 0, b""
            if 200 <= status <= 299 or (400 <= status <= 499 and status not in (401, 408, 425, 429)):
                return status, told
            await asyncio.sleep(_AGAIN.total_seconds())


async def keys_of(session: aiohttp.ClientSession, gateway: str) -> list[str]:
    """The gateway's public keys, once it answers."""
    while True:
        try:
            async with session.get(f"{gateway}/v1/keys") as answer:
                answer.raise_for_status()
                keys: list[str] = (await answer.json())["keys"]
                return keys
        except (aiohttp.ClientError, TimeoutError, OSError):
            await asyncio.sleep(_AGAIN.total_seconds())


async def play(settings: Settings, started: asyncio.Event | None = None) -> None:
    """Play these parties until cancelled."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40)))
        keys = await keys_of(session, settings.gateway)
        played = {}
        for party in settings.parties:
            client = Client(session, settings.gateway, party.client, party.key)
            played[party.party] = recipient = Recipient(party, client, keys)
            stack.callback(recipient.books.close)
        runner = web.AppRunner(application(played), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("recipients.listening", port=settings.port, count=len(played))
        if started is not None:
            started.set()
        async with asyncio.TaskGroup() as group:
            for recipient in played.values():
                group.create_task(recipient.run())


def application(played: Mapping[str, Recipient]) -> web.Application:
    """The HTTP side of all parties played."""

    async def arrive(request: web.Request) -> web.Response:
        recipient = played.get(request.match_info["party"])
        return web.Response(status=404) if recipient is None else await recipient.arrive(request)

    async def script(request: web.Request) -> web.Response:
        recipient = played.get(request.match_info["party"])
        if recipient is None:
            return web.Response(status=404)
        recipient.script(TypeAdapter(tuple[Rule, ...]).validate_json(await request.read()))
        return web.Response(status=204)

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="live")

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_post("/{party}", arrive)
    app.router.add_put("/{party}/script", script)
    app.router.add_get("/health", health)
    return app


if __name__ == "__main__":
    configure("recipient")
    asyncio.run(play(Settings.model_validate_json(Path(sys.argv[1]).read_bytes())))
