"""Sources: they send each person's messages in order, until each is definitely taken or refused, and write it down.

What nobody knows (no answer, a 5xx) is sent again under the same message id. One message in twenty is sent twice
although it was taken, half of these at the same instant.
"""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import aiohttp
import orjson
from watchfiles import awatch

from gateway.local import custody_papers as papers
from gateway.local.agency import Sender
from tests.checker.history import History, Invoked, Refused, Taken, Unknown
from tests.checker.workload import Message

FEED = "/v1/feeds/police_custody"
AGAIN = 0.05
"""Seconds until what nobody knows is sent again."""

TWICE = 20
"""One in so many is sent twice."""


class Sources:
    """Sends messages for one party."""

    def __init__(self, sender: Sender, history: History, *, connections: int = 8) -> None:
        self._sender = sender
        self._history = history
        self._connections = connections
        self._marks: list[tuple[int, asyncio.Event]] = []
        self.taken = 0
        """Messages definitely taken."""
        self.repeated = 0
        """Messages sent again although they were taken."""

    async def run(self, people: Iterable[Sequence[Message]]) -> None:
        """Send everything, many people at once."""
        waiting = iter(people)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._connections):
                group.create_task(self._work(waiting))

    async def reached(self, taken: int) -> None:
        """Wait until so many messages were taken."""
        mark = asyncio.Event()
        self._marks.append((taken, mark))
        self._ring()
        await mark.wait()

    async def _work(self, waiting: Iterable[Sequence[Message]]) -> None:
        for messages in waiting:
            for message in messages:
                await self._send(message)

    async def _send(self, message: Message) -> None:
        chance = int(message.id[:8], 16)
        twice = chance % TWICE == 0
        if twice and chance // TWICE % 2:
            await asyncio.gather(self._until_known(message), self._until_known(message))
        else:
            await self._until_known(message)
            if twice:
                await self._until_known(message)
        self.repeated += twice
        self.taken += 1
        self._ring()

    async def _until_known(self, message: Message) -> None:
        while not await self._once(message):
            await asyncio.sleep(AGAIN)

    async def _once(self, message: Message) -> bool:
        """Send it. Whether it is known now what became of it."""
        told = Invoked(message.id, message.person, message.version, message.content, message.owed)
        self._history.write(told)
        headers = {"content-type": "application/xml", "idempotency-key": message.id}
        status, answer = await self._post("records", message.body, headers)
        if status in (200, 202):
            self._history.write(Taken(message.id, orjson.loads(answer)["receipt"]))
        elif _open(status):
            self._history.write(Unknown(message.id))
            return False
        else:
            self._history.write(Refused(message.id, status))
        return True

    async def send_file(self, name: str, messages: Sequence[Message]) -> None:
        """Send these as the rows of one file, until it is taken. The receipt of a row is the file's and its number."""
        body = papers.table(message.row for message in messages)
        headers = {"content-type": papers.CSV, "idempotency-key": name}
        while True:
            for one in messages:
                self._history.write(Invoked(one.id, one.person, one.version, one.content, one.owed))
            status, answer = await self._post("files", body, headers)
            if status in (200, 202):
                break
            assert _open(status), f"the file was answered with {status}"
            for one in messages:
                self._history.write(Unknown(one.id))
            await asyncio.sleep(AGAIN)
        file = orjson.loads(answer)["file"]
        for number, one in enumerate(messages, 1):
            self._history.write(Taken(one.id, f"{file}#{number}"))

    async def drop_file(self, name: str, messages: Sequence[Message], folder: Path) -> None:
        """Lay these into a folder as the rows of one file, and wait for the receipt that is laid beside it."""
        for one in messages:
            self._history.write(Invoked(one.id, one.person, one.version, one.content, one.owed))
        part = folder / f"{name}.part"
        part.write_bytes(papers.table(message.row for message in messages))
        part.rename(folder / name)
        receipt = folder / "done" / f"{name}.receipt.json"
        async for _ in awatch(folder, yield_on_timeout=True, rust_timeout=200):
            if receipt.exists():
                break
        file = orjson.loads(receipt.read_bytes())["file"]
        for number, one in enumerate(messages, 1):
            self._history.write(Taken(one.id, f"{file}#{number}"))

    async def _post(self, door: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """The status and body of the answer; status 0 where there was none."""
        try:
            return await self._sender.send(f"{FEED}/{door}", body, headers)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, b""

    def _ring(self) -> None:
        for taken, mark in self._marks:
            if self.taken >= taken:
                mark.set()


def _open(status: int) -> bool:
    """Whether an answer leaves open what became of what was sent."""
    return status == 0 or status >= 500 or status in (401, 429)
