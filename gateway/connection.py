"""One HTTP connection, with an end to how long, how many and how slow the headers of a request may be.

The server reads headers without any limit of its own: whoever never ends them would fill its memory, and whoever never
begins them would hold a connection for ever, both before anybody knows who is calling.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES: Final = 32 * 1024
"""Of a request line and its headers; an access token of ours has under 1 KiB."""
MOST_HEADERS: Final = 100
WITHIN: Final = 15.0
"""Seconds from the connection, or from the first byte of a further request, to the end of the headers."""

_ANSWERS: Final = {
    408: b"HTTP/1.1 408 Request Timeout\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
}


class Connection(HttpToolsProtocol):
    """A connection whose requests have bounded heads: 431 for too much of one, 408 for one that does not end."""

    _head = 0
    _in_head = False
    _excessive = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head that is being read has become too long."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MOST_BYTES:
                self._refuse(431)
            elif self._timer is None:  # most heads come whole, and need no timer
                self._begin()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head = True, 0

    def on_headers_complete(self) -> None:
        """The head has ended. Raises ValueError, which ends the parsing, for one that is too much."""
        self._in_head = False
        self._end()
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._excessive = length > MOST_BYTES or len(self.headers) > MOST_HEADERS
        if self._excessive:
            raise ValueError("the head is too long")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, or what was parsed no further."""
        if self._excessive:
            self._refuse(431)
        else:
            super().send_400_response(msg)

    def _begin(self) -> None:
        self._timer = self.loop.call_later(WITHIN, self._refuse, 408)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int) -> None:
        self._end()
        self.transport.write(_ANSWERS[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
