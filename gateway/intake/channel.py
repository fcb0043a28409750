"""A channel beside HTTP, kept going: what ends one of them by a fault of ours stops no other, nor the front door."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from gateway import telemetry
from gateway.cancelling import heed_cancelling
from gateway.errors import ConfigurationError
from gateway.telemetry import log

PAUSE = timedelta(seconds=30)
"""How long a channel that failed stands still before it begins anew."""


async def keep_going(name: str, run: Callable[[], Awaitable[None]], pause: timedelta = PAUSE) -> None:
    """Run a channel until cancelled, anew after every fault. Raises ConfigurationError: only a person can mend that.

    Nothing that was not committed was acknowledged, so whatever a fault cut off comes again.
    """
    while True:
        try:
            await run()
        except ConfigurationError:
            raise
        except Exception as error:  # unforeseen, so of no type: it is counted and said, and may stop this channel only
            telemetry.channel_faults.labels(name).inc()
            cause = telemetry.first(error)
            log.error("channel.failed", name=name, error=type(cause).__name__, where=telemetry.where(cause))
            heed_cancelling()
        await asyncio.sleep(pause.total_seconds())
