"""A stand-in for an HMPPS service that events point at: a real HTTP server that notes what it is asked."""

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

CLIENT, SECRET = "lasars-gateway", "not-a-secret-of-anybody"


@dataclass
class CaseApi:
    """answers: by path. asked: every path, in order. statuses: what to answer with instead, one request after another.

    location: where a redirect points. A path in `hanging` is not answered until `release` is called.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    statuses: deque[int] = field(default_factory=deque)
    location: str = ""
    tokens: int = 0
    expires_in: int = 600
    hanging: set[str] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    base: str = ""

    def __post_init__(self) -> None:
        self._released = asyncio.Event()

    def release(self) -> None:
        """Answer what hangs."""
        self._released.set()

    def options(self, folder: Path, base: str = "case_api") -> dict[str, str]:
        """The options of an adapter that asks this service."""
        secret = folder / "client-secret"
        secret.write_text(f"{SECRET}\n")
        return {
            base: f"{self.base}/secure/",
            "token_url": f"{self.base}/auth/oauth/token",
            "client_id": CLIENT,
            "client_secret_file": str(secret),
        }

    async def token(self, request: web.Request) -> web.Response:
        """A token, for the right client by the right grant."""
        form = await request.post()
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != expected or form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens += 1
        return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": self.expires_in})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What stands under a path, or the next status that was asked for."""
        path = request.path.removeprefix("/secure")
        self.asked.append(path)
        self.arrived.set()
        if request.headers.get("authorization") != f"Bearer token-{self.tokens}":
            return web.Response(status=401)
        if path in self.hanging:
            await self._released.wait()
        if self.statuses:
            status = self.statuses.popleft()
            headers = {"location": self.location} if 300 <= status < 400 else {}
            return web.Response(status=status, headers=headers)
        if path not in self.answers:
            return web.Response(status=404)
        told = self.answers[path]
        return web.Response(body=told) if isinstance(told, bytes) else web.json_response(told)


@asynccontextmanager
async def case_api() -> AsyncIterator[CaseApi]:
    """A service that runs and knows nobody yet."""
    api = CaseApi()
    app = web.Application()
    app.router.add_post("/auth/oauth/token", api.token)
    app.router.add_get("/{path:.*}", api.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        api.base = f"http://127.0.0.1:{port}"
        yield api
    finally:
        api.release()
        await runner.cleanup()
