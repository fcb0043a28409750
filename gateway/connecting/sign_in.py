"""Signing in to a gateway as a client: OAuth 2 client credentials with `private_key_jwt` (RFC 6749, RFC 7523).

It holds one access token at a time, and gets a new one before the old one ends or when it is no longer taken.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from joserfc import jwt

from gateway.clock import Clock, system_clock
from gateway.connecting.keys import Jwk, signing_key
from gateway.errors import TurnedAway

PATH: Final = "/oauth2/token"
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LASTS: Final = timedelta(seconds=60)
_EARLY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs in, and where. gateway: its address, which is also its issuer. key: the private key, as a JWK."""

    gateway: str
    client: str
    key: Jwk


class NotSignedIn(TurnedAway):
    """The gateway does not know this client by this key."""

    def __init__(self, told: str) -> None:
        super().__init__(f"The gateway refuses to sign this client in: {told}")

    fix = "Is the public key registered under this client id, and does it still serve? Is this computer's clock right?"


def assertion(who: Identity, now: datetime, **changed: Any) -> str:
    """A signed assertion that serves once. changed: claims that differ from a good one's; None leaves one out."""
    key, algorithm = signing_key(who.key)
    seconds = int(now.timestamp())
    claims = {
        "iss": who.client,
        "sub": who.client,
        "aud": who.gateway,
        "iat": seconds,
        "exp": seconds + int(_LASTS.total_seconds()),
        "jti": secrets.token_urlsafe(16),
    }
    told = {name: value for name, value in (claims | changed).items() if value is not None}
    header = {"alg": algorithm} | ({"kid": who.key["kid"]} if "kid" in who.key else {})
    return jwt.encode(header, told, key, algorithms=[algorithm])


def token_form(signed: str) -> dict[str, str]:
    """The form that changes an assertion for an access token."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": signed,
    }


class SigningIn(httpx.Auth):
    """Carries the client's access token on each request. Raises NotSignedIn where the gateway gives none."""

    def __init__(self, who: Identity, clock: Clock = system_clock) -> None:
        self._who = who
        self._clock = clock
        self._token: tuple[str, datetime] | None = None
        self._turn = asyncio.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Not there: the commands wait for nothing else meanwhile, but they can be interrupted."""
        raise NotImplementedError("sign in with an httpx.AsyncClient")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign in if need be, and once more if the token is no longer taken."""
        async with self._turn:
            if self._token is None or self._token[1] <= self._clock():
                answer = yield self._asking()
                await answer.aread()
                self._keep(answer)
            assert self._token is not None  # noqa: S101 - _keep has set it, or raised
            token = self._token[0]
        request.headers["authorization"] = f"Bearer {token}"
        answer = yield request
        # A body that was streamed away cannot be sent again; its sender tries again with a token of its own.
        if answer.status_code == 401 and self._token is not None and self._token[0] == token:
            self._token = None

    def _asking(self) -> httpx.Request:
        form = token_form(assertion(self._who, self._clock()))
        return httpx.Request("POST", f"{self._who.gateway}{PATH}", data=form)

    def _keep(self, answer: httpx.Response) -> None:
        if answer.status_code == 429 or answer.status_code >= 500:
            answer.raise_for_status()
        try:
            told = answer.json()
            self._token = (
                told["access_token"],
                self._clock() + timedelta(seconds=told["expires_in"]) - _EARLY,
            )
        except (ValueError, KeyError, TypeError):
            raise NotSignedIn(_reason(answer)) from None


def open_client(who: Identity, *, within: float = 60.0) -> httpx.AsyncClient:
    """A client of the gateway's API that signs in by itself. within: seconds an answer may take."""
    return httpx.AsyncClient(
        base_url=who.gateway,
        auth=SigningIn(who),
        timeout=httpx.Timeout(within, connect=10.0),
        follow_redirects=False,  # a token is not carried to where an answer points
        trust_env=False,
    )


def _reason(answer: httpx.Response) -> str:
    """What the gateway said, which quotes nothing."""
    try:
        told = answer.json()
        return str(told.get("error_description") or told.get("detail") or answer.status_code)
    except (ValueError, AttributeError):
        return f"it answers {answer.status_code}, and not as a token endpoint."
