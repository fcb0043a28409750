"""The senders: one process that posts custody records over a fixed number of connections.

Closed loop (no --rate): each connection sends its next record as soon as the last is answered; this finds the most a
side can do. Open loop (--rate): records are sent at fixed moments whatever the answers do, so that a slow answer
cannot hide the wait of those behind it; this finds the latency at a load.

Everything is made before the first byte is sent. Then it says so (as a program that announces itself,
`gateway/local/children.py`) and waits for SIGUSR1, so that whoever measures begins with the first record. A record
answered 429 or 503 is sent again after a moment; any other answer but 202 ends the run as a failure. The result is one
JSON object in --out: `first` and `last` (seconds of the monotonic clock: first record sent, last one accepted), `again`
(sent again after 429 or 503) and `accepted` (per receipt: sent, accepted).
"""

import argparse
import asyncio
import collections
import os
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import orjson
import uvloop

from bench.people import Record, record
from gateway.local.children import READY_FD

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)
_RECEIPT = re.compile(rb"\r\nlocation:[ \t]*[^\r]*/([0-9a-f-]{36})[ \t]*\r\n", re.IGNORECASE)
_AGAIN = (429, 503)
_PAUSE = 0.02


class Failed(Exception):
    """The side under test refused a record, or hung up."""


class Sender(asyncio.Protocol):
    """One connection: at most one request is under way."""

    def __init__(self) -> None:
        self._waiting = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where requests go."""
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send one request; the future is its status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Take the answer once it is here whole."""
        self._waiting += data
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._waiting, 0, end + 2)
        if length is None:
            self.connection_lost(None)
            return
        whole = end + 4 + int(length[1])
        if len(self._waiting) < whole or self._answer is None:
            return
        status, whole_answer = int(self._waiting[9:12]), self._waiting[:whole]
        self._waiting = self._waiting[whole:]
        answer, self._answer = self._answer, None
        answer.set_result((status, whole_answer))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Failed("the connection was closed before the answer came"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class Load:
    """Sends all requests and notes when each was sent and accepted."""

    def __init__(self, senders: Sequence[Sender], requests: Sequence[bytes]) -> None:
        self._senders = senders
        self._requests = requests
        self._answers: list[tuple[bytes, float, float]] = []
        self._again = 0

    async def as_fast_as_answered(self) -> None:
        """The closed loop."""
        left = iter(self._requests)

        async def work(sender: Sender) -> None:
            for request in left:
                await self._send(sender, request, time.monotonic())

        await _all(work(sender) for sender in self._senders)

    async def at(self, rate: float) -> None:
        """The open loop: `rate` requests a second; one that finds no connection idle waits, and its wait counts."""
        idle: asyncio.Queue[Sender] = asyncio.Queue()
        for sender in self._senders:
            idle.put_nowait(sender)

        async def one(request: bytes, due: float) -> None:
            sender = await idle.get()
            await self._send(sender, request, due)
            idle.put_nowait(sender)

        start = time.monotonic()
        async with asyncio.TaskGroup() as under_way:
            for number, request in enumerate(self._requests):
                due = start + number / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                under_way.create_task(one(request, due))

    async def _send(self, sender: Sender, request: bytes, due: float) -> None:
        while True:
            status, answer = await sender.send(request)
            if status == 202:
                self._answers.append((answer, due, time.monotonic()))
                return
            if status not in _AGAIN:
                raise Failed(f"a record was answered {status}")
            self._again += 1
            await asyncio.sleep(_PAUSE)

    def result(self) -> dict[str, object]:
        """What the run is judged by."""
        return {
            "first": min(sent for _, sent, _ in self._answers),
            "last": max(accepted for _, _, accepted in self._answers),
            "again": self._again,
            "accepted": {receipt(answer): (sent, accepted) for answer, sent, accepted in self._answers},
        }


def receipt(answer: bytes) -> str:
    """The receipt id an answer names: in its Location header."""
    found = _RECEIPT.search(answer)
    if found is None:
        raise Failed("a record was accepted without a receipt")
    return found[1].decode()


def request(sent: Record, host: str, path: str, bearer: str) -> bytes:
    """The bytes of one request. In the path `{person}` and `{recipients}` stand for the record's own."""
    target = path.format(person=sent.person, recipients=sent.recipients)
    return (
        f"POST {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {bearer}\r\nidempotency-key: {sent.id}\r\n"
        f"content-type: application/xml\r\ncontent-length: {len(sent.body)}\r\n\r\n"
    ).encode() + sent.body


async def send(port: int, requests: Sequence[bytes], connections: int, rate: float | None) -> dict[str, object]:
    """Send them all; raises Failed."""
    loop = asyncio.get_running_loop()
    senders = [(await loop.create_connection(Sender, "127.0.0.1", port))[1] for _ in range(connections)]
    load = Load(senders, requests)
    await (load.as_fast_as_answered() if rate is None else load.at(rate))
    for sender in senders:
        sender.close()
    return load.result()


async def _all(work: collections.abc.Iterable[collections.abc.Coroutine[object, object, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)


def _wait_to_be_told() -> None:
    """Announce that everything is made, and wait for the word."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.write(int(os.environ[READY_FD]), b"\n")
    signal.sigwait({signal.SIGUSR1})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The stand-in senders of the bench.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first", type=int, default=0, help="number of the first record")
    parser.add_argument("--persons", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, help="records a second; without it, as fast as they are answered")
    parser.add_argument("--bearer", type=Path, help="file with the access token")
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args()
    token = told.bearer.read_text() if told.bearer else ""
    made = [
        request(record(number, told.persons), f"127.0.0.1:{told.port}", told.path, token)
        for number in range(told.first, told.first + told.count)
    ]
    _wait_to_be_told()
    unfinished = told.out.with_suffix(".unfinished")
    unfinished.write_bytes(orjson.dumps(uvloop.run(send(told.port, made, told.connections, told.rate))))
    unfinished.rename(told.out)
