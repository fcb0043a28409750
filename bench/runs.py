"""One run: a load on a side, until everything has arrived; and what it took."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import asyncpg
import httpx
import psutil

from bench.figures import waits
from bench.people import recipients
from bench.sides import Services, Side
from gateway.local import ports
from gateway.local.children import Child, Children

PERSONS = 5000
CONNECTIONS = 32
STALLED = 30.0
"""Seconds without an arrival after which a run has failed."""

LIMIT = 600.0
"""Seconds no run may take longer than."""


class Stalled(Exception):
    """Not everything that was accepted has arrived."""


class Strange(Exception):
    """Something else than a delivery was posted to a recipient."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: so many records from that number on; at a rate per second, or as fast as they are answered."""

    count: int
    first: int = 0
    rate: float | None = None
    persons: int = PERSONS

    @property
    def deliveries(self) -> int:
        """How many deliveries it makes."""
        return sum(recipients(number, self.persons) for number in range(self.first, self.first + self.count))


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it.

    seconds: from the first record sent to the last delivery arrived; accepting: to the last record accepted. cpu:
    seconds of processor time, by who used them: each of the side's processes, `postgres`, `kafka`. rss: bytes resident
    in the side's processes at the end. repeats: deliveries that arrived again. busy: records sent again after 429 or
    503. waits: milliseconds from acceptance to arrival, if asked for.
    """

    side: str
    load: Load
    deliveries: int
    seconds: float
    accepting: float
    cpu: dict[str, float]
    rss: int
    repeats: int
    busy: int
    waits: list[float] = field(default_factory=list, repr=False)

    @property
    def rate(self) -> float:
        """Deliveries a second."""
        return self.deliveries / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds of processor time a record, of the side and PostgreSQL."""
        return sum(seconds for who, seconds in self.cpu.items() if who != "kafka") / self.load.count * 1e6


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sink tells (bench/sink.py)."""

    arrivals: int
    distinct: int
    strange: int
    last: float


class Bench:
    """Starts sinks and sides, loads them, and stops them again."""

    def __init__(self, services: Services, children: Children) -> None:
        self._services = services
        self._children = children

    async def run(self, side: Side, *loads: Load, timed: bool = False) -> list[Run]:
        """Start a side, put loads on it one after the other, and stop it."""
        [port] = ports.free(1)
        sink = self._children.start(
            self._services.program("sink", "bench.sink", "--port", str(port)), ready=lambda: not ports.is_free(port)
        )
        try:
            side.start(self._children, port)
            try:
                return [await self._load(side, load, port, timed) for load in loads]
            finally:
                side.stop(self._children)
        finally:
            self._children.stop(sink)

    async def _load(self, side: Side, load: Load, sink: int, timed: bool) -> Run:
        folder = self._services.folder
        out, bearer = folder / "load.json", folder / "bearer"
        out.unlink(missing_ok=True)
        bearer.write_text(await side.bearer())
        arguments = [
            "--port", str(side.port), "--path", side.path, "--bearer", str(bearer), "--out", str(out),
            "--count", str(load.count), "--first", str(load.first), "--persons", str(load.persons),
            "--connections", str(CONNECTIONS),
        ]  # fmt: skip
        if load.rate is not None:
            arguments += ["--rate", str(load.rate)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{sink}") as client:
            await client.post("/forget")
            program = replace(self._services.program("load", "bench.load", *arguments), announces=True)
            sender = self._children.start(program, within=120)
            before = self._cpu(side)
            os.kill(sender.pid, signal.SIGUSR1)
            try:
                seen = await self._arrived(client, side, sender, load.deliveries)
                after = self._cpu(side)
                sender.wait_until(lambda: not sender.running)
            finally:
                self._children.stop(sender)
            told = json.loads(out.read_bytes())
            arrived = _arrivals((await client.get("/arrivals")).text) if timed else {}
        accepted = {receipt: moment for receipt, (_, moment) in told["accepted"].items()}
        return Run(
            side=side.name,
            load=load,
            deliveries=seen.distinct,
            seconds=seen.last - told["first"],
            accepting=told["last"] - told["first"],
            cpu={name: after[name] - before[name] for name in after},
            rss=sum(psutil.Process(child.pid).memory_info().rss for child in side.processes),
            repeats=seen.arrivals - seen.distinct,
            busy=told["again"],
            waits=waits(accepted, arrived, await self._receipts(side)) if timed else [],
        )

    async def _arrived(self, client: httpx.AsyncClient, side: Side, sender: Child, expected: int) -> Seen:
        """Wait until everything has arrived. Raises Stalled, Strange, or ChildDied for one of the side's processes."""
        began = moved = time.monotonic()
        before = -1
        while True:
            seen = Seen(**(await client.get("/seen")).json())
            now = time.monotonic()
            if seen.strange:
                raise Strange(f"{side.name}: {seen.strange} requests were no deliveries")
            if seen.distinct >= expected:
                return seen
            if seen.distinct != before:
                before, moved = seen.distinct, now
            for child in side.processes:
                child.check()
            if now - moved > STALLED or now - began > LIMIT:
                sending = "still sends" if sender.running else "has ended"
                raise Stalled(f"{side.name}: {before} of {expected} deliveries arrived; the sender {sending}")
            await asyncio.sleep(0.05)

    async def _receipts(self, side: Side) -> dict[str, str]:
        connection = await asyncpg.connect(self._services.dsn(side.tag))
        try:
            rows = await connection.fetch("select id::text as id, record_id::text as record from deliveries")
        finally:
            await connection.close()
        return {row["id"]: row["record"] for row in rows}

    def _cpu(self, side: Side) -> dict[str, float]:
        return {
            **{child.program.name: _cpu_of([child.pid]) for child in side.processes},
            "postgres": _cpu_of([self._services.postgres.pid]),
            "kafka": _cpu_of(self._services.kafka.pids),
        }


def _arrivals(text: str) -> dict[str, float]:
    return {delivery: float(moment) for delivery, moment in (line.split() for line in text.splitlines())}


def _cpu_of(pids: Iterable[int]) -> float:
    """Seconds of processor time of these processes, their children, and the children that have ended."""
    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
        for child in process.children(recursive=True):
            try:
                own = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += own.user + own.system
    return total
