"""Heads of requests that are too long, too many or too slow, against the real server."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from gateway import connection
from gateway.connection import MOST_BYTES, MOST_HEADERS, Connection

GET = b"GET / HTTP/1.1\r\nhost: here\r\n"


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers."""
    await PlainTextResponse("fine")(scope, receive, send)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """The port of a server with these connections."""
    server = uvicorn.Server(uvicorn.Config(fine, port=0, http=Connection, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            assert not running.done()
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    """One server for all that do not change it."""
    async with serving() as port:
        yield port


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, closed whatever became of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def ask(port: int, *parts: bytes) -> bytes:
    """Send these one after the other, and read all that is answered until the connection is closed."""
    try:
        async with connected(port) as (reader, writer), asyncio.timeout(10):
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await reader.read()
    except ConnectionError:
        return b"cut off"


async def test_an_ordinary_request_is_answered(port: int) -> None:
    """Also with as many headers as are allowed, and also in pieces of a byte."""
    most = b"".join(b"x-%d: y\r\n" % number for number in range(MOST_HEADERS - 2)) + b"connection: close\r\n\r\n"
    assert (await ask(port, GET + most)).startswith(b"HTTP/1.1 200")
    pieces = [bytes([byte]) for byte in GET + b"connection: close\r\n\r\n"]
    assert (await ask(port, *pieces)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"".join(b"x-%d: y\r\n" % number for number in range(10_000)), id="ten thousand headers"),
        pytest.param(b"x: " + b"y" * MOST_BYTES + b"\r\n", id="one long header"),
        pytest.param(b"y" * MOST_BYTES + b": x\r\n", id="a long name"),
        pytest.param(b"x: y\r\n" * (MOST_HEADERS + 1), id="one header too many"),
    ],
)
async def test_too_much_of_a_head_is_431(port: int, head: bytes) -> None:
    """Whether it comes at once or in pieces."""
    whole = GET + head + b"\r\n"
    assert (await ask(port, whole)).startswith((b"HTTP/1.1 431", b"cut off"))
    told = await ask(port, *(whole[start : start + 1000] for start in range(0, len(whole), 1000)))
    assert told.startswith((b"HTTP/1.1 431", b"cut off"))


async def test_a_head_that_never_ends_is_cut_off(port: int) -> None:
    """An endless header, and an endless address, are read no further than the limit."""
    for beginning in (GET + b"x: ", b"GET /"):
        async with connected(port) as (reader, writer), asyncio.timeout(10):
            writer.write(beginning + b"y" * (MOST_BYTES + 1))
            assert (await reader.readline()).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET])
async def test_a_head_that_does_not_end_in_time_is_408(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    """Nor does a connection wait for ever for its first byte."""
    monkeypatch.setattr(connection, "WITHIN", 0.05)
    async with serving() as port:
        assert (await ask(port, begun)).startswith(b"HTTP/1.1 408")


async def test_a_further_head_that_does_not_end_in_time_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was served before waits no longer for the rest of a head than a new one."""
    monkeypatch.setattr(connection, "WITHIN", 0.05)
    async with serving() as port, connected(port) as (reader, writer), asyncio.timeout(10):
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200")
        writer.write(GET)
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")


async def test_a_second_request_is_bounded_too(port: int) -> None:
    """Each head by itself: many requests on one connection are no long head."""
    once = GET + b"x: " + b"y" * (MOST_BYTES // 2) + b"\r\n"
    told = await ask(port, *[once + b"\r\n"] * 5, once + b"connection: close\r\n\r\n")
    assert told.count(b"HTTP/1.1 200") == 6
    async with connected(port) as (reader, writer), asyncio.timeout(10):
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200")
        writer.write(GET + b"x: " + b"y" * (MOST_BYTES + 1))
        assert (await reader.readline()).startswith(b"HTTP/1.1 431")


async def test_noise_stops_no_server(port: int) -> None:
    """Whatever comes instead of a request, or in the middle of one: refused, and the next is served."""
    chance = random.Random(28)
    for _ in range(300):
        place, noise = chance.randrange(len(GET)), chance.randbytes(chance.randrange(1, 200))
        async with connected(port) as (_reader, writer):
            writer.write(GET[:place] + noise + GET[place:])
            writer.write_eof()
    assert (await ask(port, GET + b"connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
