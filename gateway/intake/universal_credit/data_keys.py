"""Data keys of Universal Credit: each document is sealed with one, and each of those by a key that never leaves them.

Whoever may read the documents asks their data key service to open a data key. Its protocol is that of the department's
public consumers: `POST /datakey/actions/decrypt?keyId=...&correlationId=...` with the sealed key as plain text, and
`plaintextDataKey` in the answer. Where only some keys are needed, to try it out, a file of them does the same.
"""

import asyncio
import base64
import binascii
import json
import uuid
from pathlib import Path
from typing import Final, Protocol

import httpx

from gateway.errors import ConfigurationError, GatewayError

_REMEMBERED: Final = 1000
"""Keys kept in memory: one seals many documents, and asking for each would be a request for each."""
_LONGEST_ANSWER: Final = 64 * 1024
_DEADLINE: Final = 20.0
"""Seconds for one whole answer; the client's own deadlines begin anew with every byte."""
_PATH: Final = "/datakey/actions/decrypt"


class KeyRefused(Exception):
    """No key opens this, however often it is asked."""


class KeyServiceAway(GatewayError):
    """The key service does not answer just now."""

    fix = "Wait until Universal Credit's data key service is back; nothing is lost meanwhile."


class KeyService(Protocol):
    """Opens data keys."""

    async def data_key(self, key_id: str, sealed: str) -> bytes:
        """The data key that is sealed by the key of this id. Raises KeyRefused, or KeyServiceAway."""
        ...


class KeyFile:
    """Data keys in a file: `{"<id of the sealing key>": {"<sealed key>": "<key in base64>"}}`."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigurationError for a file that is none of these."""
        try:
            told = json.loads(file.read_text())
            self._keys = {
                (key_id, sealed): base64.b64decode(key, validate=True)
                for key_id, keys in told.items()
                for sealed, key in keys.items()
            }
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ConfigurationError(
                f"The file of Universal Credit's data keys cannot be used ({type(error).__name__}).",
                "Mend it, or set GATEWAY_UNIVERSAL_CREDIT__KEY_SERVICE instead.",
            ) from None

    async def data_key(self, key_id: str, sealed: str) -> bytes:
        """The key, if it is in the file. Raises KeyRefused."""
        key = self._keys.get((key_id, sealed))
        if key is None:
            raise KeyRefused
        return key


class DataKeyService:
    """Universal Credit's data key service. client: with its address, its certificates and its deadline."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], bytes] = {}

    async def data_key(self, key_id: str, sealed: str) -> bytes:
        """The key, asked for once. Raises KeyRefused, or KeyServiceAway."""
        known = self._known.get((key_id, sealed))
        if known is not None:
            return known
        key = await self._ask(key_id, sealed)
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[key_id, sealed] = key
        return key

    async def _ask(self, key_id: str, sealed: str) -> bytes:
        asked = {"keyId": key_id, "correlationId": str(uuid.uuid4())}
        # What is unpacked on the way is as large as its sender likes, before anybody can count it.
        headers = {"content-type": "text/plain", "accept-encoding": "identity"}
        try:
            async with (
                asyncio.timeout(_DEADLINE),
                self._client.stream("POST", _PATH, params=asked, content=sealed, headers=headers) as answer,
            ):
                body = await _read(answer)
        except (httpx.HTTPError, TimeoutError) as error:
            raise KeyServiceAway(f"the data key service cannot be asked ({type(error).__name__})") from None
        if answer.status_code == httpx.codes.BAD_REQUEST:  # how it says that the key does not open
            raise KeyRefused
        if answer.status_code != httpx.codes.OK:
            raise KeyServiceAway(f"the data key service answers {answer.status_code}")
        try:
            return base64.b64decode(json.loads(body)["plaintextDataKey"], validate=True)
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise KeyServiceAway("the data key service answers something else") from None


async def _read(answer: httpx.Response) -> bytes:
    """The answer's body. Raises KeyServiceAway for one that is too long to be a key, or compressed."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise KeyServiceAway("the data key service answers something else")
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > _LONGEST_ANSWER:
            raise KeyServiceAway("the data key service answers something else")
    return bytes(body)
