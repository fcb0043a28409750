"""Everywhere a personal value could have gone, gathered so that it can be searched.

What is sealed is not left out: it is gathered as the bytes it is, in which nothing may be readable either.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import aiohttp
import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord, TopicPartition

from tests.support.canary import Place

SEALED = frozenset({("bodies", "sealed"), ("data_keys", "wrapped")})
"""The columns that hold ciphertext. Every other column is plain."""


def files(*folders: Path, named: str = "*") -> Iterator[Place]:
    """The files below these folders, with their names."""
    for folder in folders:
        for path in sorted(folder.rglob(named)):
            yield "the name of a file", str(path.relative_to(folder)).encode()
            if path.is_file():
                yield f"the file {path.name}", path.read_bytes()


def processes(pids: Iterable[int]) -> Iterator[Place]:
    """What everybody on the machine, and its administrator, sees of processes: arguments and environment."""
    for pid in pids:
        process = psutil.Process(pid)
        yield f"the arguments of process {process.name()}", "\n".join(process.cmdline()).encode()
        told = "\n".join(f"{name}={value}" for name, value in process.environ().items())
        yield f"the environment of process {process.name()}", told.encode()


async def metrics(*urls: str) -> list[Place]:
    """What each of these addresses answers under /metrics."""
    async with aiohttp.ClientSession() as session:
        found = []
        for url in urls:
            async with session.get(f"{url}/metrics") as answer:
                answer.raise_for_status()
                found.append(("the metrics", await answer.read()))
    return found


async def topics(bootstrap: str, prefix: str) -> tuple[list[Place], list[Place]]:
    """The topics of one prefix: what stands around their records in the clear, and the records' own bytes."""
    plain, sealed = [], []
    for record in await _records(bootstrap, prefix):
        at = f"{record.topic.removeprefix(prefix)} at {record.partition}:{record.offset}"
        plain.append((f"the topic of {at}", record.topic.encode()))
        plain.append((f"the key of {at}", record.key or b""))
        plain.append((f"the time of {at}", str(record.timestamp).encode()))
        plain += [(f"a header of {at}", name.encode() + b": " + value) for name, value in record.headers]
        sealed.append((f"the value of {at}", record.value or b""))
    return plain, sealed


async def _records(bootstrap: str, prefix: str) -> list[ConsumerRecord]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
    finally:
        await admin.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        wanted = [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]
        ends = {one: end for one, end in (await consumer.end_offsets(wanted)).items() if end}
        found: list[ConsumerRecord] = []
        consumer.assign(list(ends))
        while ends and any([await consumer.position(one) < end for one, end in ends.items()]):
            for page in (await consumer.getmany(timeout_ms=200)).values():
                found += page
        return found
    finally:
        await consumer.stop()


async def tables(dsn: str) -> tuple[list[Place], list[Place]]:
    """Every table of a database: its plain columns, and the columns that hold ciphertext."""
    connection = await asyncpg.connect(dsn.replace("+asyncpg", ""))
    try:
        names = await connection.fetch("select tablename from pg_tables where schemaname = 'public' order by 1")
        plain, sealed = [], []
        for (table,) in names:
            for row in await connection.fetch(f'select * from "{table}"'):  # noqa: S608 - a name from the catalogue
                for column, value in row.items():
                    place = (f"the column {table}.{column}", _bytes(value))
                    (sealed if (table, column) in SEALED else plain).append(place)
        return plain, sealed
    finally:
        await connection.close()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
