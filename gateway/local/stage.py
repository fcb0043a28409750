"""The stage journeys are played on: agencies that send, recipients that answer, and what everybody wrote down."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import system_clock
from gateway.local.arrivals import Arrival, Writings
from gateway.local.cast import Agency, Lasars
from gateway.local.children import Child
from gateway.local.client import Client
from gateway.local.ports import LOOPBACK
from gateway.local.system import System

PATIENCE = 30.0
"""Seconds anything may take that is waited for."""
_LOOK = 0.02
_LONDON = ZoneInfo("Europe/London")

_BUSY = text(
    """
    select (select count(*) from outbox)
         + (select count(*) from undecided)
         + (select count(*) from deliveries where state in ('queued', 'offered'))
         + (select count(*) from records where state = 'waiting')
    """
)
"""What is still under way: to be filled, to be published, to be decided, to be delivered, to be answered.

What was offered is not yet at its recipient where it was fetched from a mailbox, or told of by a notice.
"""

_EVENTS = text("select id from events where record_id = any(:records) order by seq")
_RECORDS = text("select id from records where id = :receipt or file_id = :receipt order by row nulls first")
_TRIED = text(
    "select count(*) from attempts a join deliveries d on d.id = a.delivery_id"
    " where d.recipient = :recipient and d.record_id = :record and a.outcome <> 'offered'"
)


class NotAsExpected(Exception):
    """Something that was waited for did not come. The text says what, as a sentence."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The stand-ins that run. agencies, cases: the ports of the agencies' doors and of the case API.

    apart: recipients with a process of their own, by id.
    """

    agencies: int
    cases: int
    apart: Mapping[str, Child]


@dataclass(frozen=True, slots=True)
class Sent:
    """What an agency sent, and what it was answered. what: in words, for the table. receipt: none if it was refused.

    body: the answer as it came, in whatever protocol.
    """

    agency: Agency
    what: str
    status: int
    receipt: str
    body: bytes = b""

    @property
    def answer(self) -> dict[str, Any]:
        """The answer, where it is a JSON object."""
        told: dict[str, Any] = orjson.loads(self.body)
        return told


class Stage:
    """Where journeys are played."""

    def __init__(
        self,
        system: System,
        engine: AsyncEngine,
        session: aiohttp.ClientSession,
        cast: Cast,
    ) -> None:
        self.system = system
        self.own = system.own
        self._engine = engine
        self._session = session
        self._agencies = f"http://{LOOPBACK}:{cast.agencies}"
        self._cases = f"http://{LOOPBACK}:{cast.cases}"
        self._apart = dict(cast.apart)
        self._readers: dict[str, Client] = {}
        self._written = Writings(system.own)

    # --- Agencies ----------------------------------------------------------------------------------------------------

    async def send(
        self,
        agency: Agency,
        what: str,
        body: bytes,
        media_type: str,
        *,
        door: str = "records",
        headers: Mapping[str, str] | None = None,
    ) -> Sent:
        """Have an agency send this. door: records, files, messages as BaRS has them, or drop/NAME for its folder."""
        told = {"content-type": media_type, **(headers or {})}
        async with self._session.post(f"{self._agencies}/{agency.id}/{door}", data=body, headers=told) as answer:
            receipt = answer.headers.get("location", "").rpartition("/")[2]
            return Sent(agency, what, answer.status, receipt, await answer.read())

    async def ask(self, agency: Agency, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What the gateway answers this agency."""
        async with self._session.get(f"{self._agencies}/{agency.id}{path}", headers=headers) as answer:
            told: dict[str, Any] = orjson.loads(await answer.read())
            return told

    async def receipt(self, sent: Sent) -> dict[str, Any]:
        """The receipt as its sender sees it."""
        return await self.ask(sent.agency, f"/v1/receipts/{sent.receipt}")

    # --- The case API ------------------------------------------------------------------------------------------------

    async def know(self, answers: Mapping[str, Any]) -> None:
        """Have the case API know this from now on. answers: by path."""
        async with self._session.put(f"{self._cases}/answers", json=answers) as answer:
            answer.raise_for_status()

    async def take_case_api_away(self) -> None:
        """Have it answer nobody."""
        async with self._session.put(f"{self._cases}/away") as answer:
            answer.raise_for_status()

    async def bring_case_api_back(self) -> None:
        """Have it answer again."""
        async with self._session.delete(f"{self._cases}/away") as answer:
            answer.raise_for_status()

    # --- Recipients --------------------------------------------------------------------------------------------------

    async def script(self, lasars: Lasars, rules: Iterable[Mapping[str, Any]]) -> None:
        """Have a recipient behave like this from now on."""
        url = f"http://{LOOPBACK}:{self.system.plan.ports.of(lasars)}/{lasars.id}/script"
        async with self._session.put(url, json=list(rules)) as answer:
            answer.raise_for_status()

    async def document(self, arrival: Arrival) -> dict[str, Any]:
        """What a recipient was told, as it can read it."""
        reader = self._readers.get(arrival.recipient)
        if reader is None:
            key = self.own.key(arrival.recipient)
            reader = self._readers[arrival.recipient] = Client(self._session, self.system.url, arrival.recipient, key)
        _, body = await reader.call("GET", f"/v1/messages/{arrival.delivery}")
        told: dict[str, Any] = orjson.loads(body)
        return told

    def stop(self, lasars: Lasars) -> None:
        """Take a recipient down: nobody listens where it was."""
        self.system.children.stop(self._apart.pop(lasars.id))

    def start(self, lasars: Lasars) -> None:
        """Bring it back."""
        self._apart[lasars.id] = self.system.play_recipients((lasars,), f"LASARS {lasars.name}")
        self.system.wait_until_ready()

    # --- What became of it -------------------------------------------------------------------------------------------

    async def records(self, sent: Iterable[Sent]) -> list[uuid.UUID]:
        """The records of what was sent, in order; of a file its rows'."""
        async with self._engine.connect() as connection:
            return [
                row.id
                for one in sent
                for row in await connection.execute(_RECORDS, {"receipt": uuid.UUID(one.receipt)})
            ]

    async def events(self, sent: Iterable[Sent]) -> list[str]:
        """The events of what was sent, in order."""
        records = await self.records(sent)
        async with self._engine.connect() as connection:
            return [str(row.id) for row in await connection.execute(_EVENTS, {"records": records})]

    async def arrivals(self, sent: Iterable[Sent]) -> list[Arrival]:
        """What reached recipients of it, recipient by recipient in the order of their books."""
        events = set(await self.events(sent))
        return [one for one in self._written.applied() if one.event in events]

    async def told(self, lasars: Lasars, result: str) -> bool:
        """Whether a recipient has answered anything with this result by now."""
        return result in self._written.results(lasars.id)

    async def tried(self, lasars: Lasars, sent: Sent) -> bool:
        """Whether the gateway has tried to deliver this to a recipient, in vain."""
        async with self._engine.connect() as connection:
            told = {"recipient": lasars.id, "record": uuid.UUID(sent.receipt)}
            return bool((await connection.execute(_TRIED, told)).scalar_one())

    async def quiet(self) -> None:
        """Wait until nothing is under way any more: all is decided, delivered and answered."""

        async def nothing_under_way() -> bool:
            return self._written.unanswered() == 0 and await self._busy() == 0 and self._written.unanswered() == 0

        await self.until("everything sent is decided, delivered and answered", nothing_under_way)

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something to come true. Raises NotAsExpected."""
        deadline = time.monotonic() + PATIENCE
        while not await holds():
            self.system.children.check()
            if time.monotonic() > deadline:
                raise NotAsExpected(f"after {PATIENCE:.0f} s it is still not so that {what}")
            await asyncio.sleep(_LOOK)

    async def _busy(self) -> int:
        async with self._engine.connect() as connection:
            return int((await connection.execute(_BUSY)).scalar_one())

    # --- Time --------------------------------------------------------------------------------------------------------

    @staticmethod
    def now() -> datetime:
        """The time, in UTC."""
        return system_clock()

    @staticmethod
    def in_london() -> datetime:
        """The time as forces write it: London's, without a zone."""
        return system_clock().astimezone(_LONDON).replace(tzinfo=None)
