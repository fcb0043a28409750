"""The HTTP application that agencies and recipients call."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.base import Adapter
from gateway.access.assertions import Assertions
from gateway.access.caller import Access
from gateway.access.endpoint import PATH as TOKEN_PATH
from gateway.access.endpoint import TokenEndpoint
from gateway.access.tokens import Tokens
from gateway.clock import Clock
from gateway.intake import bars, described, operation_outcome, receipts, reports
from gateway.intake.batch import FileTaker
from gateway.intake.door import Limits
from gateway.intake.files import FileDoor
from gateway.intake.numbering import Numbering
from gateway.intake.record import Commits, RecordTaker
from gateway.intake.refusals import Refusals
from gateway.intake.take import RecordDoor
from gateway.parties import Parties
from gateway.problems import answer, explained, guarded, install, unavailable
from gateway.sealing import BlindIndex, Sealer, Secrets
from gateway.settings import Settings
from gateway.store import assertions
from gateway.store.faults import passes
from gateway.telemetry import log, where

_RECORDS = "/v1/feeds/{agency}/records"
_TO_RECORDS = compile_path(_RECORDS)[0]


class Gateway(FastAPI):
    """The application, whose OpenAPI document also describes the routes that are no framework's.

    records: where what is posted to a feed's records goes at once, past the framework, whose layers cost a record more
    than its door (contracts/decisions/0048). The route stands among the others too, for every other method.
    """

    records: ASGIApp

    def __init__(self, adapters: Mapping[str, Adapter], routes: Sequence[BaseRoute]) -> None:
        super().__init__(
            title="LASARS gateway",
            version=version("lasars-gateway"),
            summary="Takes what agencies send, and delivers it to the LASARS whose it is.",
            description=described.DESCRIPTION,
            openapi_tags=described.TAGS,
            docs_url=None,  # the framework's page loads its scripts from another site
            redoc_url=None,
            redirect_slashes=False,  # a redirect repeats the whole address it was asked at, parameters and all
            routes=list(routes),
        )
        self._adapters = adapters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        feed = _TO_RECORDS.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if feed is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        scope["path_params"] = feed.groupdict()
        await self.records(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return described.complete(super().openapi(), self._adapters)


def build_access(settings: Settings, parties: Parties, secrets: Secrets, clock: Clock) -> Access:
    """Who is calling, for every router of this installation."""
    return Access(Tokens(secrets.tokens, settings.issuer), parties, clock)


def build_app(
    settings: Settings,
    parties: Parties,
    secrets: Secrets,
    adapters: Mapping[str, Adapter],
    journal: Commits,
    engine: AsyncEngine,
    clock: Clock,
    *,
    access: Access | None = None,
    routers: Sequence[APIRouter] = (),
    routes: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The whole application. routers: of other pieces (the mailbox); routes: plain ones (health).

    Raises ConfigurationError for a registered key that cannot be used.
    """
    tokens = Tokens(secrets.tokens, settings.issuer)
    access = access or Access(tokens, parties, clock)
    index = BlindIndex(secrets.pepper)
    sealer = Sealer(secrets.kek)
    refusals = Refusals(engine, sealer)
    limits = settings.intake
    taker = RecordTaker(journal, refusals, index, secrets.namespace, numbering=Numbering(engine))
    record_door = RecordDoor(access, adapters, taker, Limits(limits.max_record, limits.max_waiting), clock)
    referrals = replace(taker, channel="bars")
    message_door = bars.MessageDoor(access, adapters, referrals, engine, index, record_door.limits, clock)
    referral_door = bars.ReferralDoor(access, adapters, engine, index)
    file_taker = FileTaker(journal, refusals, engine, index, secrets.namespace, limits.max_record, clock)
    file_door = FileDoor(access, adapters, file_taker, Limits(limits.max_file, limits.max_waiting))

    async def claim(client: str, assertion: bytes, expires: datetime, now: datetime) -> bool:
        return await assertions.claim(engine, client, assertion, expires, now)

    audiences = frozenset({settings.issuer, f"{settings.issuer}{TOKEN_PATH}"})
    token_endpoint = TokenEndpoint(Assertions(parties, audiences), tokens, claim, clock)
    app = Gateway(
        adapters,
        [
            Route(_RECORDS, record_door, methods=["POST"]),
            Route("/v1/feeds/{agency}/files", file_door.__call__, methods=["POST"]),
            Route(bars.PROCESS_MESSAGE, message_door, methods=["POST"]),
            Route(bars.SERVICE_REQUEST, referral_door, methods=["GET"]),
            Route(TOKEN_PATH, token_endpoint.__call__, methods=["POST"]),
            *routes,
        ],
    )
    app.include_router(receipts.router(access, engine, adapters, parties, sealer))
    app.include_router(reports.router(access, engine, adapters))
    app.include_router(explained())
    for router in routers:
        app.include_router(router)
    install(app, dict.fromkeys((bars.PROCESS_MESSAGE, "/ServiceRequest"), operation_outcome.answer))
    app.add_exception_handler(DBAPIError, _store_failed)
    for error in (PoolTimeout, ConnectionError, TimeoutError):
        app.add_exception_handler(error, _store_away)
    app.records = guarded(app, record_door)
    return app


async def _store_failed(request: Request, error: Exception) -> Response:
    """The store answered with a fault: its own (503), or of our statement, which is nobody's but ours (500)."""
    if passes(error):
        return await _store_away(request, error)
    raise error


async def _store_away(request: Request, error: Exception) -> Response:
    log.error("store.unavailable", error=type(error).__name__, where=where(error))
    return answer(request, unavailable())
