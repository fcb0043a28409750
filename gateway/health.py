"""What a supervisor and a monitoring system ask: is it alive, is it ready, what are its figures.

Live means progress: work that waits is being worked on. A process that answers but no longer moves is not live.
Ready means its dependencies answer.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.clock import Clock

STALLED_AFTER = timedelta(seconds=60)

Check = Callable[[], Awaitable[bool]]

Measure = Callable[[], Awaitable[None]]
"""Sets the gauges that are read from somewhere when the metrics are asked for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One kind of work: how much of it waits, and when some of it was last done."""

    waiting: Callable[[], int]
    last: Callable[[], datetime]

    def stalled(self, now: datetime) -> bool:
        """Work waits, and none was done for too long."""
        return self.waiting() > 0 and now - self.last() > STALLED_AFTER


class Health:
    """Answers `/health/live`, `/health/ready` and `/metrics` for one process."""

    def __init__(
        self,
        clock: Clock,
        progress: Mapping[str, Progress],
        checks: Mapping[str, Check],
        measure: Measure | None = None,
    ) -> None:
        self._clock = clock
        self._progress = progress
        self._checks = checks
        self._measure = measure

    def routes(self) -> list[Route]:
        """The three routes."""
        return [
            Route("/health/live", self._live),
            Route("/health/ready", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def _live(self, _: Request) -> Response:
        now = self._clock()
        stalled = sorted(name for name, work in self._progress.items() if work.stalled(now))
        return JSONResponse({"live": not stalled, "stalled": stalled}, status_code=503 if stalled else 200)

    async def _ready(self, _: Request) -> Response:
        answers = await asyncio.gather(*(_answers(check) for check in self._checks.values()))
        missing = sorted(name for name, ok in zip(self._checks, answers, strict=True) if not ok)
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    async def _metrics(self, _: Request) -> Response:
        if self._measure is not None:
            await self._measured(self._measure)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _measured(self, measure: Measure) -> None:
        """A store that is away takes nobody's other figures with it."""
        with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
            async with asyncio.timeout(5):
                await measure()


async def _answers(check: Check) -> bool:
    try:
        async with asyncio.timeout(2):
            return await check()
    except Exception:  # a dependency that fails in whatever way is a dependency that is missing
        return False


def store_answers(engine: AsyncEngine) -> Check:
    """Whether PostgreSQL answers a query."""

    async def check() -> bool:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))
        return True

    return check
