"""A process serves and works until it is told to stop, and never goes on answering for work that has ended."""

import asyncio
import os
import signal

import pytest
from starlette.types import Receive, Scope, Send

from gateway.local import ports
from gateway.serving import serve


class KafkaIsAway(Exception):
    """What starting a broker may fail with."""


async def _listening(port: int) -> None:
    """Return once somebody listens there. Nobody tells of it, so it is looked at in every turn of the loop."""
    while ports.is_free(port):  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)


async def _up(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says it is up."""
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.complete"})


async def _failing_at_the_end(scope: Scope, receive: Receive, send: Send) -> None:
    """Up until it is told to stop, and then not able to say goodbye."""
    await _up(scope, receive, send)
    await receive()
    raise KafkaIsAway


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_an_application_that_fails_after_its_start_ends_the_process() -> None:
    """A supervisor starts it again; answering its questions meanwhile would hide that nothing is done."""
    (port,) = ports.free(1)

    async def failing_late(scope: Scope, receive: Receive, send: Send) -> None:
        await _up(scope, receive, send)
        await _listening(port)
        await send({"type": "lifespan.shutdown.failed", "message": "as FastStream says it"})
        raise KafkaIsAway

    async with asyncio.timeout(20):
        with pytest.raises(KafkaIsAway):
            await serve(failing_late, "127.0.0.1", port, _for_ever())


async def test_a_process_told_to_stop_stops_whatever_its_application_says_then() -> None:
    """What follows the serving, such as the note that it stopped in good order, is not skipped."""
    (port,) = ports.free(1)

    async def told() -> None:
        await _listening(port)
        os.kill(os.getpid(), signal.SIGTERM)
        await _for_ever()

    async with asyncio.timeout(20):
        await serve(_failing_at_the_end, "127.0.0.1", port, told())
