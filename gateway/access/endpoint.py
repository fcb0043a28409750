"""The token endpoint: `POST /oauth2/token`, OAuth 2 client credentials with `private_key_jwt` (RFC 6749, RFC 7523).

Its failures are OAuth's own (RFC 6749 section 5.2), not problem details, because that is what clients' libraries read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.assertions import AssertionRefused, Assertions
from gateway.access.tokens import LIFETIME, Tokens
from gateway.clock import Clock
from gateway.telemetry import log

PATH = "/oauth2/token"

Claim = Callable[[str, bytes, datetime, datetime], Awaitable[bool]]
"""(client, assertion id, expires, now): uses an assertion; False when it was used before."""

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LARGEST = 16 * 1024
_WITHIN = 30
"""Seconds. Nobody is signed in here yet, so nobody may hold the door open."""
_MEDIA_TYPE = "application/x-www-form-urlencoded"


class TokenEndpoint:
    """Changes a client's assertion for an access token, once each."""

    def __init__(self, assertions: Assertions, tokens: Tokens, claim: Claim, clock: Clock) -> None:
        self._assertions = assertions
        self._tokens = tokens
        self._claim = claim
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        """Answer one token request."""
        form = await _form(request)
        if isinstance(form, str):
            return _failed(400, "invalid_request", form)
        if form.get("grant_type") != "client_credentials":
            return _failed(400, "unsupported_grant_type", "The grant_type served here is client_credentials.")
        if form.get("client_assertion_type") != _ASSERTION_TYPE or "client_assertion" not in form:
            return _failed(
                401, "invalid_client", f"Send client_assertion with client_assertion_type {_ASSERTION_TYPE}."
            )
        now = self._clock()
        try:
            proved = self._assertions.read(form["client_assertion"], now.timestamp())
        except AssertionRefused as refused:
            return _failed(401, "invalid_client", refused.sentence)
        if form.get("client_id", proved.client) != proved.client:
            return _failed(401, "invalid_client", "The client_id is not the one the assertion was made by.")
        if not await self._claim(proved.client, proved.id, datetime.fromtimestamp(proved.expires, UTC), now):
            log.warning("assertion.replayed", client=proved.client)
            return _failed(401, "invalid_client", "The assertion was used before; make a new one for each request.")
        log.info("token.issued", client=proved.client)
        token = self._tokens.issue(proved.client, now.timestamp())
        return _answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})


async def _form(request: Request) -> dict[str, str] | str:
    """The form's fields, or the sentence that says why it is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        return f"The body must be {_MEDIA_TYPE}."
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST:
                    return f"The body may be {_LARGEST} bytes long at most."
    except TimeoutError:
        return f"The body must arrive within {_WITHIN} seconds."
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        return "The body is not a form."
    form = dict(fields)
    if len(form) != len(fields):
        return "A field is there more than once."
    return form


def _failed(status: int, error: str, description: str) -> Response:
    return _answer(status, {"error": error, "error_description": description})


def _answer(status: int, document: dict[str, str | int]) -> Response:
    return Response(
        orjson.dumps(document), status, {"cache-control": "no-store", "pragma": "no-cache"}, "application/json"
    )
