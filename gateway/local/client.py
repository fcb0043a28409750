"""A client of the gateway's API, as a party's own system would have one: it signs in with its key and calls.

It holds one access token at a time (client credentials with `private_key_jwt`, RFC 7523) and gets a new one before
the old one ends.
"""

import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from gateway.clock import system_clock
from gateway.connecting.sign_in import PATH, Identity, assertion, token_form

_EARLY = 60.0


class Client:
    """One client. key: its private key as a JWK. base: the gateway's address, which is also its issuer."""

    def __init__(self, session: aiohttp.ClientSession, base: str, client_id: str, key: Mapping[str, Any]) -> None:
        self._session = session
        self._base = base
        self._who = Identity(base, client_id, key)
        self._token: tuple[str, float] | None = None

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Call a path. The status and the body of the answer. Raises aiohttp.ClientError, TimeoutError."""
        headers = {"authorization": f"Bearer {await self.token()}"}
        # A redirect is not followed: the token is not carried to where an answer points.
        url = self._base + path
        async with self._session.request(method, url, json=body, headers=headers, allow_redirects=False) as answer:
            if answer.status == 401:
                self._token = None
            return answer.status, await answer.read()

    async def token(self) -> str:
        """An access token with a minute to go at least. Raises aiohttp.ClientError."""
        now = time.time()
        if self._token is None or self._token[1] <= now:
            form = token_form(assertion(self._who, system_clock()))
            async with self._session.post(self._base + PATH, data=form) as answer:
                answer.raise_for_status()
                told = await answer.json()
            self._token = told["access_token"], now + told["expires_in"] - _EARLY
        return self._token[0]
