"""Posting to one address: HTTP/1.1 over connections that are kept, one request at a time on each.

Answers are parsed by llhttp, as requests are at the front door. Nothing else of a general client is wanted here: no
cookies, redirects, proxies or encodings, and nothing is sent twice. Why it has none stands in contracts/decisions/0050.
"""

import asyncio
import base64
import enum
import functools
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from socket import SOCK_STREAM
from typing import Final, cast

from aiohappyeyeballs import start_connection
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from yarl import URL

from gateway.failpoints import armed, reach

MOST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; a connection on which more comes is closed."""

_IDLE: Final = 30.0
"""Seconds a connection is kept for the next request."""

_STAGGER: Final = 0.25
"""Seconds until a host's next address is tried beside the one that does not answer (RFC 8305)."""

_SWITCHING_PROTOCOLS: Final = 101


class Failure(enum.StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as far as it came; its head is whole. headers: by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Poster:
    """Posts JSON to one address. Not more connections are made than requests are under way at once."""

    def __init__(self, url: str, deadline: timedelta) -> None:
        address = URL(url)
        self._host = address.raw_host or ""
        self._port = address.port or 0
        self._tls = _trust() if address.scheme == "https" else None
        self._within = deadline.total_seconds()
        self._head = _head(address)
        self._kept: deque[Line] = deque()
        self._sweeping: asyncio.TimerHandle | None = None

    async def post(self, headers: Mapping[str, str], body: bytes) -> Answer | Failure:
        """Send one request and wait for its answer until the deadline. Whatever goes wrong is told, never raised.

        Once its head is known an answer counts, however its body goes on.
        """
        ends = asyncio.get_running_loop().time() + self._within
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{self._head}{told}content-length: {len(body)}\r\n\r\n".encode()
        line = self._take()
        try:
            if line is None:
                async with asyncio.timeout_at(ends):
                    line = await self._connect()
            answer = line.ask(ends)
            if armed("D4") or armed("D5"):
                await _send_in_halves(line, head, body)
            else:
                line.send(head, body)
            found = await answer
        except TimeoutError:
            return Failure.TIMEOUT
        except (OSError, ValueError, RuntimeError):  # the last is uvloop's, for an address it cannot use
            return Failure.CONNECTION
        except asyncio.CancelledError:
            if line is not None:
                line.cut()
            raise
        if line.usable:
            self._keep(line)
        return found

    def close(self) -> None:
        """Close the connections that are kept."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        while self._kept:
            self._kept.pop().cut()

    async def _connect(self) -> "Line":
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=SOCK_STREAM)
        socket = await start_connection(found, happy_eyeballs_delay=_STAGGER)
        name = self._host if self._tls else None
        _, line = await loop.create_connection(Line, sock=socket, ssl=self._tls, server_hostname=name)
        return line

    def _take(self) -> "Line | None":
        while self._kept:
            line = self._kept.pop()
            if line.usable:
                return line
        return None

    def _keep(self, line: "Line") -> None:
        loop = asyncio.get_running_loop()
        line.since = loop.time()
        self._kept.append(line)
        if self._sweeping is None:
            self._sweeping = loop.call_later(_IDLE, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody has needed for long. What was used last is taken first, so the oldest is in front."""
        loop = asyncio.get_running_loop()
        while self._kept and self._kept[0].since <= loop.time() - _IDLE:
            self._kept.popleft().cut()
        self._sweeping = loop.call_at(self._kept[0].since + _IDLE, self._sweep) if self._kept else None


class Line(asyncio.Protocol):
    """One connection. since: when it was used last."""

    def __init__(self) -> None:
        self.since = 0.0
        self._whole = False
        self._answer: asyncio.Future[Answer | Failure] | None = None

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._whole and not self._transport.is_closing()

    def ask(self, ends: float) -> "asyncio.Future[Answer | Failure]":
        """The answer to what is sent next. ends: when it is no longer waited for, by the loop's clock."""
        loop = asyncio.get_running_loop()
        self._whole = False
        self._heard = 0
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._body = b""
        self._parser = HttpResponseParser(self)
        self._timer = loop.call_at(ends, self._end, Failure.TIMEOUT)
        self._answer = loop.create_future()
        return self._answer

    def send(self, *parts: bytes) -> None:
        """Send a request, or a part of it."""
        self._transport.writelines(parts)

    def cut(self) -> None:
        """Close it at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone: an answer that ends with its connection ends here."""
        self._end(Failure.CONNECTION)

    def data_received(self, data: bytes) -> None:
        """Read on. What comes unasked, or beside an answer, belongs to nothing."""
        if self._answer is None:
            self.cut()
            return
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._end(Failure.CONNECTION)
            self.cut()
        if self._heard > MOST_ANSWER:
            self._end(Failure.CONNECTION)

    def on_message_begin(self) -> None:
        """An answer begins. Raises ValueError, which ends the parsing, for one that nobody waits for."""
        if self._answer is None:
            raise ValueError("an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of it."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Its head is whole, unless it only says that the answer is being made (RFC 9110 section 15.2)."""
        status = self._parser.get_status_code()
        if status >= 200 or status == _SWITCHING_PROTOCOLS:
            self._status = status
        else:
            self._headers = {}

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._body += body

    def on_message_complete(self) -> None:
        """It is whole."""
        if self._status is not None:
            self._whole = self._parser.should_keep_alive() and self._status != _SWITCHING_PROTOCOLS
            self._end(Failure.CONNECTION)

    def _end(self, failure: Failure) -> None:
        """Tell the answer as far as it came, or why there is none. A connection with a rest of it on it is closed."""
        answer, self._answer = self._answer, None
        if answer is None:
            return
        self._timer.cancel()
        if not self._whole:
            self.cut()
        if not answer.done():
            answer.set_result(failure if self._status is None else Answer(self._status, self._headers, self._body))


def _head(address: URL) -> str:
    """What every request to an address begins with."""
    head = (
        f"POST {address.raw_path_qs} HTTP/1.1\r\nhost: {address.host_port_subcomponent}\r\n"
        "user-agent: lasars-gateway\r\naccept: */*\r\ncontent-type: application/json\r\n"
    )
    if address.user is None:
        return head
    word = base64.b64encode(f"{address.user}:{address.password or ''}".encode()).decode()
    return f"{head}authorization: Basic {word}\r\n"


async def _send_in_halves(line: Line, head: bytes, body: bytes) -> None:
    """Send it so that the process can be made to die when a half has left, and when all has."""
    middle = len(body) // 2
    line.send(head, body[:middle])
    await asyncio.sleep(0)
    reach("D4")
    line.send(body[middle:])
    await asyncio.sleep(0)
    reach("D5")


@functools.cache
def _trust() -> ssl.SSLContext:
    """Whom to believe that they are who they say: whoever the machine's certificates vouch for."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
