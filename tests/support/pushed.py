"""A recipient's HTTP door that keeps what was pushed at it, and answers as a test wants."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One push. path: which recipient's door."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The delivery id it was signed under."""
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        """What the body says."""
        told: dict[str, Any] = orjson.loads(self.body)
        return told


class Door:
    """An HTTP server on this port, or a free one. answer: how it answers; every path is a door of its own."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.arrivals: list[Arrival] = []
        self.answer: Answer = self.fine
        self.url = ""
        self.under_way = 0
        self.most_under_way = 0
        self._arrived = asyncio.Condition()

    async def fine(self, _: web.Request) -> web.StreamResponse:
        """204."""
        return web.Response(status=204)

    async def until(self, count: int, *, within: float = 60) -> None:
        """Wait for so many arrivals."""
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: len(self.arrivals) >= count)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        async with self._arrived:
            self.arrivals.append(Arrival(request.path, headers, body))
            self._arrived.notify_all()
        try:
            return await self.answer(request)
        finally:
            self.under_way -= 1

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{path}", self._take)
        # A handler whose caller has gone is cancelled, so that none outlives the test.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/push"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
