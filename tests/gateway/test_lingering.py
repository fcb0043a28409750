"""An answer that closes its connection reaches a sender who is still sending."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from gateway.lingering import Lingering

HEAD = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n"
LONG = 4 << 20


async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading, and closes."""
    if scope["type"] == "http":
        await PlainTextResponse("too much", 413, {"connection": "close"})(scope, receive, send)


@asynccontextmanager
async def serving(app: Lingering) -> AsyncIterator[int]:
    """The port this application is served at by the real server."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            assert not running.done()
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


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


async def test_the_answer_is_read_after_the_whole_body_was_sent() -> None:
    """A client that sends everything before it reads still gets the answer, and not a reset connection."""
    async with serving(Lingering(refuses)) as port, connected(port) as (reader, writer):
        writer.write(HEAD % LONG)
        for _ in range(LONG >> 16):
            writer.write(b"x" * (1 << 16))
            await writer.drain()
        assert (await reader.read()).startswith(b"HTTP/1.1 413")


async def test_the_answer_waits_for_no_body() -> None:
    """It is there before a byte of the body is."""
    async with (
        serving(Lingering(refuses, seconds=0.2)) as port,
        connected(port) as (reader, writer),
        asyncio.timeout(5),
    ):
        writer.write(HEAD % LONG)
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        await reader.read()  # and then, with nothing coming, the end


async def test_an_endless_body_is_cut_off() -> None:
    """No more than so many bytes are read past, and no longer than so many seconds."""
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 10
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    await Lingering(refuses, most=100)({"type": "http", "method": "POST", "headers": []}, endless, send)
    assert read == 100
    assert [message.get("more_body", False) for message in told] == [False, True, False]


@pytest.mark.parametrize("headers", [{}, {"connection": "keep-alive"}])
async def test_an_answer_that_closes_nothing_is_left_alone(headers: dict[str, str]) -> None:
    """Nothing is read beyond what the application reads."""

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("fine", headers=headers)(scope, receive, send)

    async def nothing() -> Message:
        raise AssertionError("the body was read")

    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    await Lingering(answers)({"type": "http", "method": "POST", "headers": []}, nothing, send)
    assert [message.get("body") for message in told] == [None, b"fine"]
