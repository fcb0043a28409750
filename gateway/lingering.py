"""Closing a connection so that its last answer is read.

A connection that is closed over unread bytes is reset, and whoever was still sending a body that is too large never
learns why. So where an answer closes the connection, a little more of the body is read past after the answer was sent.
"""

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Lingering:
    """An application that reads past what still comes when it has answered and is about to close.

    seconds, most: how long, and how many bytes; whoever goes on sending is cut off. The answer waits for neither.
    """

    def __init__(self, app: ASGIApp, *, seconds: float = 2.0, most: int = 16 << 20) -> None:
        self._app = app
        self._seconds = seconds
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        closes = False

        async def lingering(message: Message) -> None:
            nonlocal closes
            if message["type"] == "http.response.start":
                closes = (b"connection", b"close") in message["headers"]
            elif closes and not message.get("more_body"):
                await send({**message, "more_body": True})
                await self._read_past(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, receive, lingering)

    async def _read_past(self, receive: Receive) -> None:
        left = self._most
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while left > 0 and (more := await receive()).get("more_body"):
                    left -= len(more["body"])
