"""Posting to a recipient's endpoint as the gateway does, and as it never would."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Final

import httpx
import orjson

from gateway.clock import Clock
from gateway.connecting.invented import referral
from gateway.connecting.stand_in import Mishap, StandIn
from gateway.delivery.signing import ID, sign
from gateway.sealing import Signer

KNOWN: Final = 208
"""What 409 is told as, where it names the id: the endpoint has the message, which is as good as 2xx."""


@dataclass(frozen=True, slots=True)
class Push:
    """One message ready to be posted."""

    id: str
    headers: Mapping[str, str]
    body: bytes


class Pusher:
    """Posts to one endpoint. signer: whose public keys the endpoint has. stand_in: has what was posted, to be fetched.

    stranger: somebody whose keys nobody has.
    """

    def __init__(
        self, client: httpx.AsyncClient, url: str, signer: Signer, stand_in: StandIn, clock: Clock, chance: Random
    ) -> None:
        self._client = client
        self._url = url
        self._signer = signer
        self._stand_in = stand_in
        self._clock = clock
        self._chance = chance
        self.stranger = Signer((secrets.token_bytes(32),))

    def message(self, *mishaps: Mishap, **changed: Any) -> dict[str, Any]:
        """A message that the stand-in has too, and takes a receipt for. mishaps: what goes wrong there at first."""
        told = referral(self._chance, self._clock(), **changed)
        self._stand_in.offer(told["id"], orjson.dumps(told), *mishaps)
        return told

    def signed(
        self,
        told: Mapping[str, Any] | None = None,
        *,
        body: bytes | None = None,
        ago: float = 0,
        by: Signer | None = None,
    ) -> Push:
        """A message, signed so many seconds ago. Without one, somebody new's, which nobody must take."""
        message = referral(self._chance, self._clock()) if told is None else told
        content = orjson.dumps(message) if body is None else body
        headers = sign(by or self._signer, message["id"], self._clock() - timedelta(seconds=ago), content)
        return Push(message["id"], {**headers, "content-type": "application/json"}, content)

    async def post(self, push: Push, *, content: AsyncIterator[bytes] | None = None) -> int:
        """The status of the answer; 0 where there was none. content: the body, if it is to come in pieces."""
        try:
            answer = await self._client.post(
                self._url, content=push.body if content is None else content, headers=dict(push.headers)
            )
        except httpx.TransportError:
            return 0
        ours = answer.headers.get(ID) == push.id or push.id.encode() in answer.content
        return KNOWN if answer.status_code == 409 and ours else answer.status_code

    async def post_and_leave(self, push: Push) -> None:
        """Post a message, and end the connection as soon as its body has left."""
        gone = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield push.body
            gone.set()

        headers = {**push.headers, "content-length": str(len(push.body))}
        posting = asyncio.create_task(self.post(Push(push.id, headers, b""), content=body()))
        leaving = asyncio.create_task(gone.wait())
        await asyncio.wait((posting, leaving), return_when=asyncio.FIRST_COMPLETED)
        for task in (posting, leaving):
            task.cancel()
        await asyncio.gather(posting, leaving, return_exceptions=True)
