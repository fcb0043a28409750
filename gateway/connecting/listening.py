"""A mailbox brought to a local URL, for a recipient whose system nobody can reach from outside yet.

Each message is fetched from the mailbox and posted on exactly as it came: the bytes, and the signature the gateway put
on them, so that the local system verifies it as it would a push. The next one is not posted before this one is taken.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import stamina

from gateway.connecting.retrying import attempts, not_now, unreachable
from gateway.delivery.signing import ID, SIGNATURE, TIMESTAMP
from gateway.errors import ConfigurationError, TurnedAway

_WAIT: Final = 20
"""Seconds an empty mailbox may be waited for; the most the gateway allows."""
_SIGNED: Final = (ID, TIMESTAMP, SIGNATURE, "content-type")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One message that was brought. status: what the local system answered; None for one that was withdrawn."""

    id: str
    kind: str
    status: int | None

    @property
    def taken(self) -> bool:
        """Whether the local system said that it has it."""
        return self.status is not None and 200 <= self.status <= 299


class Cursor:
    """Where the listening is in its mailbox, kept in a file."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigurationError for a file that is no cursor of ours."""
        self._file = file
        self.position = 0
        if file.exists():
            try:
                self.position = int(orjson.loads(file.read_bytes())["after"])
            except (ValueError, KeyError, TypeError):
                raise ConfigurationError(
                    f"The file {file} holds no position in a mailbox.", "Delete it, or name another with --cursor."
                ) from None

    def move(self, position: int) -> None:
        """Be past this position from now on."""
        self.position = position
        unfinished = self._file.with_name(f"{self._file.name}.unfinished")
        unfinished.write_bytes(orjson.dumps({"after": position}))
        unfinished.replace(self._file)


class NoMailbox(TurnedAway):
    """The party of this client has none."""

    fix = "Listen as a client of a recipient, or have operations register this party as one."

    def __init__(self) -> None:
        super().__init__("This client's party has no mailbox at this gateway.")


class NotTaken(Exception):
    """The local system cannot take anything just now."""


async def listen(
    gateway: httpx.AsyncClient,
    local: httpx.AsyncClient,
    url: str,
    cursor: Cursor,
    *,
    wait: int = _WAIT,
    again: Callable[[str, str], None] = lambda _message, _why: None,
) -> AsyncIterator[Forwarded]:
    """Bring whatever comes, for ever, and tell of each. wait: seconds to wait in an empty mailbox.

    again: called once for a message that has to be posted again, with its id and why.

    A message that the local system answers with 5xx, 408, 425 or 429, or not at all, is posted again until it is
    answered otherwise; what it answers then is its own business, and the listening goes on. Raises Unreachable,
    NotSignedIn, NoMailbox.
    """
    while True:
        for notice in await _notices(gateway, cursor.position, wait):
            forwarded = await _forward(gateway, local, url, notice, again)
            cursor.move(notice["position"])
            yield forwarded


async def _notices(gateway: httpx.AsyncClient, after: int, wait: int) -> list[dict[str, Any]]:
    answer = await _get(gateway, f"/v1/mailbox?after={after}&wait={wait}")
    if answer.status_code == 404:
        raise NoMailbox
    answer.raise_for_status()
    told: list[dict[str, Any]] = answer.json()["notices"]
    return told


async def _forward(
    gateway: httpx.AsyncClient,
    local: httpx.AsyncClient,
    url: str,
    notice: dict[str, Any],
    again: Callable[[str, str], None],
) -> Forwarded:
    message = await _get(gateway, f"/v1/messages/{notice['id']}")
    if message.status_code in (404, 410):
        return Forwarded(notice["id"], notice["kind"], None)
    message.raise_for_status()
    headers = {name: message.headers[name] for name in _SIGNED}
    tries = stamina.retry_context(on=(NotTaken, httpx.TransportError), attempts=None, timeout=None, wait_max=10.0)
    why = ""
    async for attempt in tries:
        with attempt:
            if attempt.num == 2:
                again(notice["id"], why)
            why = "does not answer"
            answer = await local.post(url, content=message.content, headers=headers)
            if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
                why = f"answers {answer.status_code}"
                raise NotTaken
            return Forwarded(notice["id"], notice["kind"], answer.status_code)
    raise AssertionError("attempts end by an answer or by an exception")


async def _get(gateway: httpx.AsyncClient, path: str) -> httpx.Response:
    try:
        async for attempt in attempts():
            with attempt:
                return not_now(await gateway.get(path))
    except httpx.HTTPError as error:
        raise unreachable(error) from None
    raise AssertionError("attempts end by an answer or by an exception")
