"""The real PostgreSQL and Kafka that tests run on.

Containers where a Docker engine answers, the embedded ones otherwise; either way one of each for the whole session,
started when the first test asks for it.
"""

import gc
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from gateway.local import kafka, metadata, postgres
from gateway.local.postgres import SETTINGS
from gateway.settings import Store
from gateway.store.ledger import open_engine
from gateway.store.schema import migrate

POSTGRES_IMAGE = "postgres:18.4"
KAFKA_IMAGE = "apache/kafka:4.3.1"
MIGRATED = "migrated"

_NEEDED = ("max_locks_per_transaction",)
"""Settings of the embedded PostgreSQL without which the gateway fails on any."""

_KAFKA_PORT, _TOLD = 9092, "/tmp/advertised"  # noqa: S108 - inside the container


@dataclass(frozen=True, slots=True)
class Engine:
    """Whether a Docker engine answers, and if not, why."""

    answers: bool
    reason: str


def docker_engine() -> Engine:
    """Ask for a Docker engine the way testcontainers would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from docker.errors import DockerException
        from testcontainers.core.docker_client import DockerClient

        answers = True
        try:
            DockerClient(timeout=2).client.close()
        except DockerException:
            answers = False
        gc.collect()  # a failed try leaves its socket open, and the warning of that is no test's fault
    return Engine(answers=answers, reason="" if answers else "no Docker engine answers on this machine")


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL. pattern: its SQLAlchemy address, with `{database}` where the database stands."""

    pattern: str

    def dsn(self, database: str) -> str:
        """Where a database of it is."""
        return self.pattern.format(database=database)


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[Server]:
    """PostgreSQL in a folder."""
    with postgres.start(folder) as server:
        yield Server(server.dsn_of("{database}"))


@contextmanager
def contained_postgres() -> Iterator[Server]:
    """PostgreSQL in a container."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from testcontainers.community.postgres import PostgresContainer

        container = PostgresContainer(POSTGRES_IMAGE, username="gateway", password=uuid.uuid4().hex, dbname="gateway")
        container.with_command(["postgres", *(part for name in _NEEDED for part in ("-c", f"{name}={SETTINGS[name]}"))])
    with container:
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(container.port)}"
        yield Server(f"postgresql+asyncpg://gateway:{container.password}@{address}/{{database}}")


@contextmanager
def embedded_kafka(folder: Path) -> Iterator[str]:
    """Kafka in a folder; yields its bootstrap servers."""
    with kafka.start(folder) as cluster:
        yield cluster.bootstrap


@contextmanager
def contained_kafka() -> Iterator[str]:
    """Kafka in a container; yields its bootstrap servers.

    A broker must tell its clients where it is, and from outside that is known only once the container runs: so it waits
    for a file that says so, as the image's own script then reads it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy

        wait = f"until [ -s {_TOLD} ]; do sleep 0.1; done; . {_TOLD}; exec /etc/kafka/docker/run"
        container = DockerContainer(KAFKA_IMAGE).with_exposed_ports(_KAFKA_PORT).with_command(["sh", "-c", wait])
        container.with_envs(
            KAFKA_NODE_ID="1",
            KAFKA_PROCESS_ROLES="broker,controller",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            KAFKA_LISTENERS=f"PLAINTEXT://:{_KAFKA_PORT},CONTROLLER://:9093",
            KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
            KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
        )
    with container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(_KAFKA_PORT)
        told = f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{host}:{port}\n"
        container.copy_into_container(told.encode(), _TOLD)
        LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(90).wait_until_ready(container)
        if not metadata.knows(host, port, 1):
            raise RuntimeError("the Kafka container says it has started, and does not answer")
        yield f"{host}:{port}"


async def make_template(server: Server) -> None:
    """Make the database all others are copied from: migrated to the newest version, and empty."""
    async with _administrator(server) as connection:
        await connection.execute(f"CREATE DATABASE {MIGRATED}")
    engine = open_engine(Store(dsn=server.dsn(MIGRATED)))
    try:
        await migrate(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def fresh_database(server: Server, template: str) -> AsyncIterator[str]:
    """A database of its own, copied from a template; yields its address and drops it afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    async with _administrator(server) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.dsn(name)
    async with _administrator(server) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _administrator(server: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.dsn("postgres").replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()
