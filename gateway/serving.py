"""Serving HTTP and working beside it, until the process is told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.connection import Connection
from gateway.lingering import Lingering

_KEPT: Final = 75
"""Seconds an idle connection is kept: longer than clients keep theirs (aiohttp 15, Java 30, .NET 60), so that it is
they who close it. A server that closes first may meet a request on its way, which then has no answer."""


class _Heard:
    """An application whose end is heard of.

    What it starts may fail after it has said that it is up: FastStream connects to Kafka only then. uvicorn would log
    that and go on answering, for a process that does nothing any more.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.over = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await self._app(scope, receive, send)
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # whatever it is: it is kept, to be raised where the process can end by it
            self.fault = error
            raise
        finally:
            self.over.set()


async def serve(
    app: ASGIApp | Starlette,
    host: str,
    port: int,
    *work: Coroutine[Any, Any, None] | Callable[[], Awaitable[None]],
    leaving: Callable[[], None] = lambda: None,
) -> None:
    """Serve HTTP and do the work beside it until SIGTERM or SIGINT; a piece of work that ends is a fault.

    So is an application that ends; what it, or the work, failed with is raised once everything else has ended.
    A callable among the work is called at the end, to let what is under way finish. leaving: called when told to stop,
    so that no request that waits for something new keeps the process.
    """
    heard = _Heard(app)
    config = uvicorn.Config(
        Lingering(heard),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # nothing here asks who is connected: a caller is who its token says
        timeout_keep_alive=_KEPT,
        timeout_graceful_shutdown=10,
        http=Connection,
        ws="none",
        lifespan="on",
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(one) for one in work if not callable(one)]
    serving = asyncio.create_task(server.serve())
    over = asyncio.create_task(heard.over.wait())

    def leave() -> None:
        server.should_exit = True
        leaving()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    try:
        await asyncio.wait([serving, over, *tasks], return_when=asyncio.FIRST_COMPLETED)
        fault = None if server.should_exit else heard.fault
        server.should_exit = True
        await serving
        for finish in (one for one in work if callable(one)):
            await finish()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await tasks[0]
    finally:
        for task in (over, *tasks):
            task.cancel()
        done = await asyncio.gather(over, *tasks, return_exceptions=True)
    for answer in (fault, *done):
        if isinstance(answer, Exception):
            raise answer
