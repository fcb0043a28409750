"""A recipient's endpoint written for tests: right in everything, and wrong in one thing where a test asks for it."""

import asyncio
import enum
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from gateway.delivery import signing
from gateway.delivery.signing import ID, SIGNATURE, TIMESTAMP, NotSigned, verify

_KNOWN = frozenset(
    {"id", "event", "kind", "change", "supersedes", "role", "occurred", "recorded", "sender", "agency"}
) | {*("person", "case", "why", "data", "agreement", "placement", "reason", "position", "created", "note")}


class Fault(enum.Enum):
    """What an endpoint does wrong."""

    TAKES_ANY_SIGNATURE = enum.auto()
    TAKES_OLD = enum.auto()
    TAKES_FUTURE = enum.auto()
    RESERIALISES = enum.auto()
    NEEDS_NO_ID = enum.auto()
    FIRST_SIGNATURE_ONLY = enum.auto()
    FORGETS_IDS = enum.auto()
    CHECKS_THEN_ACTS = enum.auto()
    FORGETS_AFTER_A_WHILE = enum.auto()
    FORGETS_WHAT_WAS_CUT = enum.auto()
    NEEDS_WHAT_IS_CORRECTED = enum.auto()
    HURRIES = enum.auto()
    FETCHES_ONCE = enum.auto()
    FOLLOWS_REDIRECTS = enum.auto()
    TAKES_LITTLE = enum.auto()
    BREAKS_ON_GZIP = enum.auto()
    KNOWS_ALL_FIELDS = enum.auto()
    KNOWS_ALL_KINDS = enum.auto()
    IGNORES_NOTICES = enum.auto()
    ANSWERS_ONCE = enum.auto()
    INSISTS = enum.auto()


class Endpoint:
    """The endpoint. gateway: where it takes keys, fetches and answers. fault: the one thing it does wrong."""

    def __init__(self, gateway: str, session: aiohttp.ClientSession, fault: Fault | None) -> None:
        self._gateway = gateway
        self._session = session
        self._fault = fault
        self._keys: list[str] = []
        self._seen: dict[str, float] = {}
        self._events: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming: Counter[str] = Counter()
        self._came = asyncio.Condition()

    async def arrive(self, request: web.Request) -> web.Response:
        """Take one push."""
        try:
            body = await asyncio.wait_for(request.read(), 0.05 if self._fault is Fault.HURRIES else 10)
        except TimeoutError:
            return web.Response(status=408)
        except aiohttp.ClientPayloadError:
            return web.Response(status=400)
        if self._fault is Fault.BREAKS_ON_GZIP and "content-encoding" in request.headers:
            return web.Response(status=500)
        if self._fault is Fault.TAKES_LITTLE and len(body) > 100_000:
            return web.Response(status=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            message_id = await self._verified(headers, body)
        except (NotSigned, KeyError, ValueError):
            return web.Response(status=401)
        message = orjson.loads(body)
        if not self._acceptable(message):
            return web.Response(status=422)
        if self._fault is Fault.CHECKS_THEN_ACTS and message_id not in self._seen:
            await self._another(message_id)
        elif self._known(message_id):
            return web.Response(status=204)
        self._seen[message_id] = asyncio.get_running_loop().time()
        if self._fault is Fault.FORGETS_WHAT_WAS_CUT:
            await asyncio.sleep(0.3)  # cancelled here where the connection ends, with the id already remembered
        self._events.add(message.get("event", ""))
        self._begin(self._act(message_id, whole="data" in message))
        return web.Response(status=204)

    async def close(self) -> None:
        """Leave nothing running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _another(self, message_id: str) -> None:
        """Wait for the same message to come once more, as it would between somebody's reading and writing."""
        self._coming[message_id] += 1
        async with self._came:
            self._came.notify_all()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait_for(lambda: self._coming[message_id] > 1), 0.4)

    def _known(self, message_id: str) -> bool:
        match self._fault:
            case Fault.FORGETS_IDS:
                return False
            case Fault.FORGETS_AFTER_A_WHILE:
                # Counted from when it came last, so that ten at once are ten at once on a slow machine, too.
                now = asyncio.get_running_loop().time()
                fresh = now - self._seen.get(message_id, -1) < 0.15
                if fresh:
                    self._seen[message_id] = now
                return fresh
            case _:
                return message_id in self._seen

    def _acceptable(self, message: dict[str, Any]) -> bool:
        match self._fault:
            case Fault.KNOWS_ALL_FIELDS:
                return message.keys() <= _KNOWN
            case Fault.KNOWS_ALL_KINDS:
                return bool(message.get("kind") == "custody.drug-test.recorded")
            case Fault.NEEDS_WHAT_IS_CORRECTED:
                return message.get("supersedes") is None or message["supersedes"] in self._events
            case _:
                return True

    async def _verified(self, headers: dict[str, str], body: bytes) -> str:
        """The id of a message that is signed. Raises NotSigned, and whatever a careless verifier raises."""
        if not self._keys:
            async with self._session.get(f"{self._gateway}/v1/keys") as answer:
                self._keys = (await answer.json())["keys"]
        now = datetime.now(UTC)
        at = datetime.fromtimestamp(int(headers[TIMESTAMP]), UTC)
        match self._fault:
            case Fault.TAKES_ANY_SIGNATURE:
                # Everything is looked at but the signature itself.
                with suppress(NotSigned):
                    return verify(self._keys, headers, body, now)
                if headers.get(ID) and headers.get(SIGNATURE) and abs(now - at) < signing.TOLERANCE and _tidy(body):
                    return headers[ID]
            case Fault.TAKES_OLD if now - at > timedelta(minutes=5):
                now = at
            case Fault.TAKES_FUTURE if at - now > timedelta(minutes=5):
                now = at
            case Fault.RESERIALISES:
                body = orjson.dumps(orjson.loads(body))
            case Fault.NEEDS_NO_ID if not headers.get(ID):
                return "nobody"
            case Fault.FIRST_SIGNATURE_ONLY:
                headers = {**headers, SIGNATURE: headers[SIGNATURE].split(" ")[0]}
            case _:
                pass
        return verify(self._keys, headers, body, now)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _act(self, message_id: str, *, whole: bool) -> None:
        if not whole:
            if self._fault is Fault.IGNORES_NOTICES:
                return
            path = f"/v1/messages/{message_id}"
            follows = self._fault is Fault.FOLLOWS_REDIRECTS
            while await self._ask("GET", path, follows=follows) != 200:
                if self._fault is Fault.FETCHES_ONCE:
                    return
                await asyncio.sleep(0.02)
        while await self._ask("POST", f"/v1/messages/{message_id}/receipt") not in self._final:
            if self._fault is Fault.ANSWERS_ONCE:
                return
            await asyncio.sleep(0.02)

    @property
    def _final(self) -> Sequence[int]:
        return (200,) if self._fault is Fault.INSISTS else (200, 409)

    async def _ask(self, method: str, path: str, *, follows: bool = False) -> int:
        try:
            async with self._session.request(
                method,
                self._gateway + path,
                json={"result": "accepted"} if method == "POST" else None,
                allow_redirects=follows,
            ) as answer:
                await answer.read()
                return answer.status
        except aiohttp.ClientError:
            return 0


def _tidy(body: bytes) -> bool:
    """Whether a body looks as the gateway writes it, which says nothing of who wrote it."""
    with suppress(ValueError):
        return orjson.dumps(json.loads(body)) == body
    return False


@asynccontextmanager
async def endpoint(gateway: str, fault: Fault | None) -> AsyncIterator[str]:
    """An endpoint that listens, and its address."""
    async with aiohttp.ClientSession() as session:
        one = Endpoint(gateway, session, fault)
        app = web.Application(client_max_size=4 << 20)
        app.router.add_post("/push", one.arrive)
        cuts = fault is Fault.FORGETS_WHAT_WAS_CUT
        runner = web.AppRunner(app, access_log=None, handler_cancellation=cuts, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/push"
        finally:
            await one.close()
            await runner.cleanup()
