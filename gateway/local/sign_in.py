"""Signing in to a local system as one of its clients, for somebody who tries its API by hand."""

from pathlib import Path

import aiohttp

from gateway.local.client import Client
from gateway.local.installation import Installation, settings_of


async def sign_in(data: Path, client: str) -> str:
    """An access token for a client of the local system in a data folder; it lasts ten minutes.

    Raises ConfigurationError where there is no such system or client, aiohttp.ClientError where it does not answer.
    """
    issuer = settings_of(data).issuer
    key = Installation(data).key(client)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        return await Client(session, issuer, client, key).token()
