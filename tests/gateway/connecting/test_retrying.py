"""Waiting for what is just being started."""

import asyncio

import pytest
import stamina

from gateway.connecting.retrying import reach
from gateway.errors import Unreachable
from gateway.local import ports


async def test_who_waits_for_somebody_is_told_once_and_then_what_is_wrong() -> None:
    """Nobody looks at a silent terminal for half a minute; and the sentence at the end names the address."""
    (port,) = ports.free(1)
    url, told = f"http://127.0.0.1:{port}", list[str]()
    with stamina.set_testing(True, attempts=5), pytest.raises(Unreachable) as raised:
        await reach(url, told.append)
    assert told == [url]
    assert url in str(raised.value)


async def test_what_answers_is_not_waited_for() -> None:
    """Whatever it answers: it is there."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    told = list[str]()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await reach(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", told.append)
    assert told == []
