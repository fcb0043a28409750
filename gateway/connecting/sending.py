"""Sending a batch: one parcel after the other, each until it is answered, so that a person's records keep their order.

A parcel is sent under the same message id until it is settled, here or after an interruption; the gateway takes it
once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from gateway.connecting.logbook import Answer, Logbook
from gateway.connecting.parcel import Parcel
from gateway.connecting.retrying import TIMEOUT, attempts, not_now, unreachable
from gateway.connecting.statement import totals
from gateway.errors import ConfigurationError, TurnedAway

_CHUNK: Final = 256 * 1024
_ACCEPTED: Final = frozenset({"received", "validated"})

Progress = Callable[[int, dict[str, int]], None]
"""Called with the bytes that have left in all, and the counts so far."""


class NotTheirFeed(TurnedAway):
    """The gateway has no such feed for this client."""

    fix = "Send as the agency this client is registered for."

    def __init__(self, agency: str) -> None:
        super().__init__(f"This client sends no feed {agency} to this gateway.")


async def send_all(
    client: httpx.AsyncClient, logbook: Logbook, progress: Progress, *, patience: float = TIMEOUT
) -> None:
    """Send whatever of a batch is not answered yet, and write every answer into its logbook.

    Raises Unreachable once patience (seconds) is spent, NotSignedIn, NotTheirFeed, ConfigurationError for a file that
    changed since it was packed. Whatever ends it, the logbook says where to go on.
    """
    plan, gone = logbook.plan, 0

    def told(before: int, bytes_: int) -> None:
        progress(before + bytes_, totals(logbook.answers))

    for number, parcel in enumerate(plan.parcels):
        if number not in logbook.answers:
            answer = await _post(client, parcel, plan.agency, partial(told, gone), patience)
            if answer.status_code == 404:
                raise NotTheirFeed(plan.agency)
            logbook.answered(read_answer(number, answer))
        gone += parcel.size
        told(gone, 0)


def read_answer(number: int, answer: httpx.Response) -> Answer:
    """What the gateway's answer to a parcel says."""
    told = _json(answer)
    # An agency's protocol may have an answer of its own; the receipt's address is beside it all the same.
    receipt = told.get("receipt") or told.get("file") or answer.headers.get("location", "").rpartition("/")[2] or None
    if answer.status_code not in (200, 202):
        rules = tuple(str(one.get("rule")) for one in told.get("errors", ()))
        return Answer(number, answer.status_code, receipt, "refused", refused=1, rules=rules)
    if "file" in told:
        return Answer(
            number,
            answer.status_code,
            receipt,
            "taken",
            rows=int(told["rows"]),
            accepted=int(told["accepted"]),
            held=int(told["held"]),
            ignored=int(told["ignored"]),
            refused=int(told["refused"]),
        )
    state = str(told.get("state", "received"))
    return Answer(
        number,
        answer.status_code,
        receipt,
        state,
        accepted=int(state in _ACCEPTED),
        held=int(state == "held"),
        ignored=int(state == "ignored"),
    )


async def post(client: httpx.AsyncClient, path: str, kind: str, body: bytes, key: str) -> httpx.Response:
    """Post some bytes under a message id until that is settled. Raises Unreachable."""
    headers = {"content-type": kind, "idempotency-key": key}
    try:
        async for attempt in attempts():
            with attempt:
                return not_now(await client.post(path, content=body, headers=headers))
    except httpx.HTTPError as error:
        raise unreachable(error) from None
    raise AssertionError("attempts end by an answer or by an exception")


async def _post(
    client: httpx.AsyncClient, parcel: Parcel, agency: str, progress: Callable[[int], None], patience: float
) -> httpx.Response:
    headers = {
        "content-type": parcel.media_type,
        "content-length": str(parcel.size),
        "idempotency-key": parcel.key,
    }
    try:
        async for attempt in attempts(patience):
            with attempt:
                body = _read(parcel, progress)
                answer = await client.post(f"/v1/feeds/{agency}/{parcel.door}", content=body, headers=headers)
                return not_now(answer)
    except httpx.HTTPError as error:
        raise unreachable(error) from None
    raise AssertionError("attempts end by an answer or by an exception")


async def _read(parcel: Parcel, progress: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The bytes of a parcel, never more than were packed."""
    gone = 0
    with parcel.file.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            gone += len(chunk)
            if gone > parcel.size:
                raise _changed(parcel.file)
            yield chunk
            progress(gone)
    if gone != parcel.size:
        raise _changed(parcel.file)


def _changed(file: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The file {file} was changed since the send began.", "Delete its .sending file, and send it anew."
    )


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
