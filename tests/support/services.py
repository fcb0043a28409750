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

from gateway.local import kafka, metadata, ports, postgres
from gateway.settings import Store
from gateway.store.ledger import migrate, open_engine

POSTGRES_IMAGE = "postgres:18.4"
KAFKA_IMAGE = "apache/kafka:4.3.1"
MIGRATED = "migrated"


@dataclass(frozen=True, slots=True)
class Engine:
    """Whether a Docker engine answers, and if not, why."""

    answers: bool
    reason: str


def docker_engine() -> Engine:
    """Ask for a Docker engine the way testcontainers would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import docker
        from docker.errors import DockerException

        answers = True
        try:
            docker.from_env(timeout=2).close()
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
        from testcontainers.postgres import PostgresContainer

        container = PostgresContainer(POSTGRES_IMAGE, username="gateway", password=uuid.uuid4().hex, dbname="gateway")
        container.start()
    try:
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(5432)}"
        yield Server(f"postgresql+asyncpg://gateway:{container.password}@{address}/{{database}}")
    finally:
        container.stop()


@contextmanager
def embedded_kafka(folder: Path) -> Iterator[str]:
    """Kafka in a folder; yields its bootstrap servers."""
    with kafka.start(folder) as cluster:
        yield cluster.bootstrap


@contextmanager
def contained_kafka() -> Iterator[str]:
    """Kafka in a container; yields its bootstrap servers.

    The port outside is chosen beforehand, because a broker must tell its clients where it is before it runs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.waiting_utils import wait_for_logs

        (port,) = ports.free(1)
        container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
        host = container.get_docker_client().host()
        for name, value in {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{host}:{port}",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        }.items():
            container.with_env(name, value)
        container.start()
        wait_for_logs(container, "Kafka Server started", timeout=90)
    try:
        if not metadata.knows(host, port, 1):
            raise RuntimeError("the Kafka container says it has started, and does not answer")
        yield f"{host}:{port}"
    finally:
        container.stop()


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
