"""Channels are kept going, each for itself."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from gateway import telemetry
from gateway.errors import ConfigurationError
from gateway.intake.channel import keep_going

NONE = timedelta(0)


class Faulty:
    """A channel that fails so often, and then runs. again: told when it runs at last."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.again = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled, once nothing is left to fail by."""
        if self._errors:
            raise self._errors.pop(0)
        self.again.set()
        await asyncio.Event().wait()


async def test_a_channel_that_fails_begins_anew() -> None:
    """Whatever nobody foresaw is said by its type and counted, never by its text, and the channel goes on."""
    faulty = Faulty(KeyError("Ann Example"), ExceptionGroup("", [RuntimeError("Ann Example")]))
    counted = telemetry.channel_faults.labels("mesh")._value
    before = counted.get()
    with capture_logs() as heard:
        running = asyncio.create_task(keep_going("mesh", faulty.run, NONE))
        async with asyncio.timeout(10):
            await faulty.again.wait()
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled()
    said = [line for line in heard if line["event"] == "channel.failed"]
    assert [(line["event"], line["name"], line["error"]) for line in said] == [
        ("channel.failed", "mesh", "KeyError"),
        ("channel.failed", "mesh", "RuntimeError"),
    ]
    assert "Example" not in repr(heard)
    assert counted.get() - before == 2


async def test_a_channel_cancelled_while_it_fails_ends() -> None:
    """Python before 3.13 tells only the fault, where both come at once; the channel must not begin anew."""

    async def fails() -> None:
        raise KeyError

    async def is_ended() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        running.cancel()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(is_ended())
            group.create_task(fails())

    running = asyncio.create_task(keep_going("mesh", run))
    await asyncio.wait([running], timeout=10)
    assert running.cancelled()


async def test_what_only_a_person_can_mend_ends_the_start() -> None:
    """A port that is taken is told at once, and not tried for ever."""
    with pytest.raises(ConfigurationError):
        await keep_going("mllp", Faulty(ConfigurationError("taken", "free it")).run, NONE)
