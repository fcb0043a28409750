"""Who may send: the conformance cases about tokens, keys and clocks."""

from dataclasses import dataclass
from datetime import timedelta

import httpx

from gateway.clock import Clock
from gateway.connecting.case import NotTried, Tried
from gateway.connecting.feed import json_of
from gateway.connecting.keys import Jwk, new_key
from gateway.connecting.sign_in import PATH, Identity, assertion, token_form


@dataclass(frozen=True, slots=True)
class Keys:
    """Further keys of the client. expired: registered, and past its end. following: the one to change to."""

    expired: Jwk | None = None
    following: Jwk | None = None


class AccessCases:
    """The cases. client: signs in as `who`."""

    def __init__(self, client: httpx.AsyncClient, who: Identity, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._who = who
        self._keys = keys
        self._clock = clock

    async def signs_in(self) -> Tried:
        nobody = await self._client.get("/v1/receipts/none", auth=_Nobody())
        known = await self._client.get("/v1/receipts/none")
        came = f"{nobody.status_code} without a token, {known.status_code} with one"
        # A receipt that is not there is 404 to whoever is signed in.
        return Tried(
            "a question without a token, and the same with one",
            came,
            "" if (nobody.status_code, known.status_code) == (401, 404) else "401 and 404 are right",
        )

    async def unknown_key(self) -> Tried:
        stranger = Identity(self._who.gateway, self._who.client, self._new_key())
        return await self._no_token(assertion(stranger, self._clock()), "an assertion signed by a key just made")

    async def expired_key(self) -> Tried:
        if self._keys.expired is None:
            raise NotTried("Name a registered key that is past its end with --expired-key.")
        old = Identity(self._who.gateway, self._who.client, self._keys.expired)
        return await self._no_token(assertion(old, self._clock()), "an assertion signed by a key past its end")

    async def clock_off(self) -> Tried:
        off = timedelta(minutes=10)
        ahead = await self._no_token(assertion(self._who, self._clock() + off), "an assertion made ten minutes ahead")
        behind = await self._no_token(assertion(self._who, self._clock() - off), "and one made ten minutes ago")
        return Tried(f"{ahead.sent}, {behind.sent}", f"{ahead.came}, {behind.came}", ahead.wrong or behind.wrong)

    async def rotation(self) -> Tried:
        if self._keys.following is None:
            raise NotTried("Name the registered key you change to with --next-key.")
        answers = [
            await self._ask_token(assertion(Identity(self._who.gateway, self._who.client, key), self._clock()))
            for key in (self._who.key, self._keys.following)
        ]
        codes = [answer.status_code for answer in answers]
        wrong = "" if codes == [200, 200] else "200 to both is right"
        return Tried("an assertion by either key", " and ".join(map(str, codes)), wrong)

    async def _no_token(self, signed: str, sent: str) -> Tried:
        answer = await self._ask_token(signed)
        refused = answer.status_code == 401 and json_of(answer).get("error") == "invalid_client"
        return Tried(sent, f"{answer.status_code}", "" if refused else "401 with invalid_client is right")

    async def _ask_token(self, signed: str) -> httpx.Response:
        return await self._client.post(PATH, data=token_form(signed), auth=_Nobody())

    def _new_key(self) -> Jwk:
        return new_key(self._who.client, "Ed25519", self._clock() + timedelta(days=1))


class _Nobody(httpx.Auth):
    """Attaches no token at all to a request."""
