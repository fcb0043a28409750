"""Asking an HMPPS service: OAuth client credentials, short deadlines, few retries, answers of bounded size.

Only the configured base address is ever asked, with numbers whose form was checked: the `detailUrl` an event carries
is text of somebody else's, and following it would let an event choose whom we talk to.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import stamina

from adapters.base import Unfilled

LARGEST: Final = 900 * 1024
"""The largest answer read, in bytes: with the event around it, it is still a record."""

_ATTEMPTS: Final = 3
_PATIENCE: Final = 30.0
"""Seconds after which no other try is begun."""
_LONGEST_TOKEN: Final = timedelta(days=1)
_EARLY: Final = timedelta(seconds=30)
"""How long before its end a token is no longer used."""

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OPTIONS: Final = ("token_url", "client_id", "client_secret_file")


class Unanswered(Exception):
    """The service gave no answer that can be used. It never leaves the adapters: `fetch` returns `unfilled`."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.unfilled = Unfilled(reason, final)


class _Passing(Exception):
    """An answer that may be another one in a moment: too many requests, or a fault of the service."""


@dataclass(slots=True)
class Source:
    """A service that is asked, and as whom. base: without a slash at its end. deadline: for one whole answer.

    The token is kept for as long as it may be used.
    """

    base: str
    token_url: str
    client_id: str
    secret: str = field(repr=False)
    deadline: timedelta = timedelta(seconds=20)
    _token: str | None = field(default=None, repr=False)
    _until: datetime | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def get(self, client: httpx.AsyncClient, path: str, now: datetime) -> Any:
        """The JSON at a path below the base. Raises Unanswered.

        404 and 403 are answers, and final: there is no such thing, or it is not for us.
        """
        token = await self._signed_in(client, now)
        status, body = await self._ask(client, "GET", self.base + path, {"authorization": f"Bearer {token}"})
        if status == 401:
            self._token = None
        if status == 404:
            raise Unanswered("source_has_none", final=True)
        if status == 403:
            raise Unanswered("source_withholds", final=True)
        if status != 200:
            raise Unanswered("source_unavailable")
        return _json(body)

    async def _signed_in(self, client: httpx.AsyncClient, now: datetime) -> str:
        async with self._asking:
            if self._token is None or self._until is None or now >= self._until:
                auth = httpx.BasicAuth(self.client_id, self.secret)
                status, body = await self._ask(
                    client, "POST", self.token_url, {}, auth=auth, data={"grant_type": "client_credentials"}
                )
                told = _json(body) if status == 200 else None
                match told:
                    case {"access_token": str() as token, "expires_in": int() as seconds} if _usable(token):
                        lasts = timedelta(seconds=max(0, min(seconds, int(_LONGEST_TOKEN.total_seconds()))))
                        self._token, self._until = token, now + lasts - _EARLY
                    case _:
                        raise Unanswered("source_not_signed_in")
            return self._token

    async def _ask(
        self, client: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str], **more: Any
    ) -> tuple[int, bytes]:
        """Status and body, after a few tries. A redirect is a status like any other and is not followed."""
        try:
            async for attempt in stamina.retry_context(
                on=(httpx.TransportError, _Passing, TimeoutError),
                attempts=_ATTEMPTS,
                timeout=_PATIENCE,
                wait_initial=0.2,
                wait_max=2,
            ):
                # A client's own deadlines are for each piece, and begin anew with every byte.
                with attempt:
                    async with asyncio.timeout(self.deadline.total_seconds()):
                        return await _once(client, method, url, headers, more)
        except (httpx.HTTPError, _Passing, TimeoutError):
            raise Unanswered("source_unavailable") from None
        raise AssertionError("a try ends in an answer or in an exception")


async def _once(
    client: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str], more: Mapping[str, Any]
) -> tuple[int, bytes]:
    # What is unpacked on the way is as large as its sender likes, before anybody can count it.
    asked = {**headers, "accept-encoding": "identity"}
    async with client.stream(method, url, headers=asked, follow_redirects=False, **more) as answer:
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _Passing
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise Unanswered("source_answer_unreadable")
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > LARGEST:
                raise Unanswered("source_answer_too_large", final=True)
        return answer.status_code, bytes(body)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        raise Unanswered("source_answer_unreadable") from None


def _usable(token: str) -> bool:
    """Whether a token can stand in a header."""
    return bool(token) and token.isascii() and token.isprintable()


def source_of(options: Mapping[str, str], base: str) -> Source | None:
    """The service these options name, or None where they name none. base: the option of the address.

    Raises ValueError where only some are given or an address is neither https nor on this machine, and OSError for a
    secret that cannot be read.
    """
    if not options:
        return None
    needed = (base, *_OPTIONS)
    if missing := [name for name in needed if not options.get(name)]:
        raise ValueError(f"to fetch, give also {', '.join(missing)}")
    for name in (base, "token_url"):
        try:
            url = httpx.URL(options[name])
        except httpx.InvalidURL:
            raise ValueError(f"{name} is no address") from None
        if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOCAL):
            raise ValueError(f"{name} is no https address")
    return Source(
        base=options[base].rstrip("/"),
        token_url=options["token_url"],
        client_id=options["client_id"],
        secret=Path(options["client_secret_file"]).read_text().strip(),
    )
