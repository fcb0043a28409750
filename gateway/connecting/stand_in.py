"""A stand-in gateway: as much of one as a recipient's system calls, and told beforehand how to answer it.

The recipient is pointed at it for the length of the kit. It has the kit's public keys, the messages the kit announces,
and takes receipts; what it was asked, it remembers.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal

import orjson
from aiohttp import web

from gateway.clock import Clock
from gateway.connecting.sign_in import PATH
from gateway.delivery.signing import sign, write_key
from gateway.sealing import Signer

Mishap = Literal["fails", "redirects", "cuts", "conflicts"]
"""What goes wrong with the next call about a message: 500, 302, no answer, 409."""

_ELSEWHERE: Final = "/elsewhere"
_LARGEST: Final = 64 * 1024


class StandIn:
    """The stand-in. signer: who signs what is fetched, which is who signs what is pushed."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock
        self._messages: dict[str, bytes] = {}
        self._mishaps: dict[str, list[Mishap]] = {}
        self._changed = asyncio.Condition()
        self.fetched: Counter[str] = Counter()
        self.followed: Counter[str] = Counter()
        self.receipts: defaultdict[str, list[bytes]] = defaultdict(list)
        """By message id, every answer that came, those that met a mishap too."""

    def offer(self, message_id: str, body: bytes, *mishaps: Mishap) -> None:
        """Have a message to be fetched and answered. mishaps: what goes wrong at first, once each."""
        self._messages[message_id] = body
        self._mishaps[message_id] = list(mishaps)

    async def until(self, holds: Callable[[], bool], within: float) -> bool:
        """Wait until something holds of what came; whether it did within so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(holds)
        return holds()

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen; yields the address. Raises OSError where the port is taken."""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_get("/v1/keys", self._keys)
        app.router.add_get("/v1/mailbox", self._mailbox)
        app.router.add_get("/v1/messages/{id}", self._fetch)
        app.router.add_post("/v1/messages/{id}/receipt", self._receipt)
        app.router.add_get(_ELSEWHERE + "/{id}", self._elsewhere)
        app.router.add_post(PATH, self._token)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield f"http://{host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [write_key(public) for public in self._signer.public_keys()]})

    async def _token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": "of-the-kit", "token_type": "Bearer", "expires_in": 600})

    async def _mailbox(self, request: web.Request) -> web.Response:
        # What is asked for here was pushed, so there is nothing more; the wait is what it would be.
        await asyncio.sleep(min(float(request.query.get("wait", 0)), 20))
        return web.json_response({"notices": [], "cursor": int(request.query.get("after", 0))})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        message_id = request.match_info["id"]
        async with self._changed:
            self.fetched[message_id] += 1
            self._changed.notify_all()
        if message_id not in self._messages:
            return web.Response(status=404)
        if (mishap := self._next(message_id)) is not None:
            return self._goes_wrong(mishap, request)
        body = self._messages[message_id]
        headers = sign(self._signer, message_id, self._clock(), body)
        return web.Response(body=body, headers=headers, content_type="application/json")

    async def _receipt(self, request: web.Request) -> web.StreamResponse:
        message_id = request.match_info["id"]
        body = await request.read()
        async with self._changed:
            self.receipts[message_id].append(body)
            self._changed.notify_all()
        if message_id not in self._messages:
            return web.Response(status=404)
        if (mishap := self._next(message_id)) is not None:
            return self._goes_wrong(mishap, request)
        told = orjson.loads(body)
        answer = {"message": message_id, "number": 1, "result": told.get("result"), "state": "acknowledged"}
        return web.json_response({**answer, "at": self._clock().isoformat()})

    async def _elsewhere(self, request: web.Request) -> web.Response:
        async with self._changed:
            self.followed[request.match_info["id"]] += 1
            self._changed.notify_all()
        return web.Response(status=404)

    def _next(self, message_id: str) -> Mishap | None:
        mishaps = self._mishaps[message_id]
        return mishaps.pop(0) if mishaps else None

    def _goes_wrong(self, mishap: Mishap, request: web.Request) -> web.Response:
        match mishap:
            case "fails":
                return web.Response(status=500)
            case "redirects":
                return web.Response(status=302, headers={"location": f"{_ELSEWHERE}/{request.match_info['id']}"})
            case "conflicts":
                return web.Response(status=409)
            case "cuts":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)


def repeated(receipts: Sequence[bytes]) -> bool:
    """Whether the same answer came more than once."""
    return len(receipts) > 1 and len(set(map(_plain, receipts))) == 1


def _plain(body: bytes) -> bytes:
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except ValueError:
        return body
