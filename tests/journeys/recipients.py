"""Recipients: the eight LASARS, in the test's own process, so that they outlive whatever is done to the gateway.

Each verifies the signature over the raw bytes, writes an arrival into the history before it answers, lets each delivery
have its effect once, and acknowledges it through the gateway's API. One is told by notices only and fetches; one has no
address and collects from its mailbox.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import orjson
from aiohttp import web

from gateway.clock import system_clock
from gateway.delivery.signing import NotSigned, verify
from gateway.local.cast import LASARS
from gateway.local.client import Client
from gateway.local.installation import Installation
from gateway.local.ports import LOOPBACK
from gateway.local.recipient import keys_of
from tests.checker import workload
from tests.checker.history import Acknowledged, Arrived, Effect, History

AGAIN = 0.1
"""Seconds until a call the gateway did not answer is made again."""

AT_ONCE = 4
"""Acknowledgements one recipient sends at once."""


class Recipient:
    """One party."""

    def __init__(self, party: str, history: History) -> None:
        self.party = party
        self.answer = 204
        """What pushes are answered with; 0 cuts the connection instead."""
        self._history = history
        self._keys: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._had: set[str] = set()
        self._to_fetch: asyncio.Queue[str] = asyncio.Queue()
        self._to_acknowledge: asyncio.Queue[str] = asyncio.Queue()

    async def arrive(self, request: web.Request) -> web.Response:
        """Take one push."""
        keys, body = await self._keys, await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            delivery = verify(keys, headers, body, system_clock())
        except NotSigned:
            self._history.write(Arrived(self.party, headers.get("webhook-id", ""), _hash(body), None, 0, "", 401))
            return web.Response(status=401)
        if self.answer == 0 and request.transport is not None:
            request.transport.abort()
            return web.Response(status=500)
        if "data" in orjson.loads(body):
            self._take(delivery, body, self.answer)
        elif self.answer < 300:
            self._to_fetch.put_nowait(delivery)
        return web.Response(status=self.answer)

    async def run(self, client: Client, keys: asyncio.Task[list[str]], *, collects: bool) -> None:
        """Fetch, collect and acknowledge until cancelled. keys: the gateway's, once it answers."""
        self._keys.set_result(await keys)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fetch(client))
            for _ in range(AT_ONCE):
                group.create_task(self._acknowledge(client))
            if collects:
                group.create_task(self._collect(client))

    def _take(self, delivery: str, body: bytes, answer: int) -> None:
        try:
            person, version, content = workload.read(orjson.loads(body))
        except (KeyError, ValueError, TypeError, StopIteration):
            self._history.write(Arrived(self.party, delivery, _hash(body), None, 0, "", answer))
            return
        self._history.write(Arrived(self.party, delivery, _hash(body), person, version, content, answer))
        if answer < 300 and delivery not in self._had:
            self._had.add(delivery)
            self._history.write(Effect(self.party, delivery, person, version))
            self._to_acknowledge.put_nowait(delivery)

    async def _fetch(self, client: Client) -> None:
        while True:
            delivery = await self._to_fetch.get()
            if body := await _call(client, "GET", f"/v1/messages/{delivery}"):
                self._take(delivery, body, 200)

    async def _collect(self, client: Client) -> None:
        cursor = 0
        while True:
            page = orjson.loads(await _call(client, "GET", f"/v1/mailbox?after={cursor}&wait=5"))
            for notice in page["notices"]:
                if body := await _call(client, "GET", f"/v1/messages/{notice['id']}"):
                    self._take(notice["id"], body, 200)
            cursor = page["cursor"]

    async def _acknowledge(self, client: Client) -> None:
        while True:
            delivery = await self._to_acknowledge.get()
            if await _call(client, "POST", f"/v1/messages/{delivery}/receipt", {"result": "accepted"}):
                self._history.write(Acknowledged(self.party, delivery))


async def _call(client: Client, method: str, path: str, body: object = None) -> bytes:
    """Call the gateway until it answers; nothing where it refuses."""
    while True:
        try:
            status, told = await client.call(method, path, body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            status, told = 0, b""
        if status == 200:
            return told
        if 400 <= status < 500 and status not in (401, 429):
            return b""
        await asyncio.sleep(AGAIN)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


class Recipients:
    """All of them behind one address."""

    def __init__(self, port: int, history: History) -> None:
        self._port = port
        self.all = {lasars.id: Recipient(lasars.id, history) for lasars in LASARS}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen. What arrives before the gateway's keys are known waits for them."""

        async def arrive(request: web.Request) -> web.Response:
            return await self.all[request.match_info["party"]].arrive(request)

        app = web.Application()
        app.router.add_post("/{party}", arrive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, self._port).start()
            yield
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def playing(self, gateway: str, own: Installation) -> AsyncIterator[None]:
        """Learn the gateway's keys, and play until left. Raises what a recipient found wrong."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            keys = asyncio.create_task(keys_of(session, gateway))
            tasks = [
                asyncio.create_task(
                    self.all[lasars.id].run(
                        Client(session, gateway, lasars.id, own.key(lasars.id)), keys, collects=lasars.push is None
                    )
                )
                for lasars in LASARS
            ]
            try:
                yield
            finally:
                for task in (keys, *tasks):
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task
