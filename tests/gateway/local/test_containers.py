"""The other way to have real services: in containers, where a Docker engine answers.

Where none does, an engine that only notes what it is asked for shows that we ask for the right things.
"""

import io
import tarfile
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from docker.models.containers import ExecResult
from testcontainers.core import container as containers
from testcontainers.core.config import ConnectionMode

from gateway.local import metadata
from tests.support import services

pytestmark = pytest.mark.services


@pytest.mark.usefixtures("docker")
async def test_postgres_in_a_container_gives_each_test_its_database() -> None:
    """A database on PostgreSQL in a container is migrated and the test's own, as on the embedded one."""
    with services.contained_postgres() as server:
        await services.make_template(server)
        async with services.fresh_database(server, services.MIGRATED) as dsn:
            connection = await asyncpg.connect(dsn.replace("+asyncpg", ""))
            try:
                assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
            finally:
                await connection.close()


@pytest.mark.usefixtures("docker")
def test_kafka_in_a_container_answers_where_it_says() -> None:
    """Kafka in a container answers at the address it gives its clients, and knows itself."""
    with services.contained_kafka() as bootstrap:
        host, port = bootstrap.rsplit(":", 1)
        assert metadata.ask(host, int(port)) == {1}


@dataclass
class Engine:
    """A Docker engine that runs nothing, and its one container.

    outside: where every port of the container is reached. says: what it logs. left: whether it is still there.
    """

    outside: int
    says: bytes = b""
    asked: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    ran: list[Any] = field(default_factory=list)
    status: str = "running"
    left: bool = False
    id: str = "c0ffee"

    # what testcontainers calls on its client

    def __call__(self, **_: Any) -> "Engine":
        return self

    @property
    def client(self) -> "Engine":
        return self

    def close(self) -> None:
        """Nothing is open."""

    def create(self, image: str, **asked: Any) -> "Engine":
        self.asked, self.left = {"image": image, **asked}, True
        return self

    def start(self, _: "Engine") -> None:
        """It runs, or has ended at once, as its status says."""

    def get_connection_mode(self) -> ConnectionMode:
        return ConnectionMode.docker_host

    def host(self) -> str:
        return "127.0.0.1"

    def port(self, container: str, port: int) -> str:
        assert container == self.id
        assert str(port) in self.asked["ports"]
        return str(self.outside)

    # and on its container

    @property
    def short_id(self) -> str:
        return self.id

    @property
    def attrs(self) -> dict[str, Any]:
        return {"State": {"Status": self.status}}

    def reload(self) -> None:
        """Its status is what it was."""

    def put_archive(self, path: str, data: bytes) -> bool:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive.getmembers():
                content = archive.extractfile(member)
                assert content is not None
                self.files[path + member.name.lstrip("/")] = content.read().decode()
        return True

    def logs(self, stdout: bool = True, stderr: bool = True) -> bytes:
        return self.says if stdout else b""

    def exec_run(self, cmd: Any, **_: Any) -> ExecResult:
        self.ran.append(cmd)
        return ExecResult(0, b"")

    def remove(self, **_: Any) -> None:
        self.left = False


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine in the place of Docker's."""
    engine = Engine(outside=40_001)
    monkeypatch.setattr(containers, "DockerClient", engine)
    monkeypatch.setattr(containers.Reaper, "get_instance", lambda: None)
    return engine


def test_kafka_is_told_where_it_stands_outside(engine: Engine, kafka: str) -> None:
    """It starts once it has been told the address its clients reach it at; that is where it must answer."""
    engine.outside = int(kafka.rsplit(":", 1)[1])
    engine.says = b"[KafkaRaftServer nodeId=1] Kafka Server started (kafka.server.KafkaRaftServer)\n"
    with services.contained_kafka() as bootstrap:
        assert bootstrap == f"127.0.0.1:{engine.outside}"
        ((file, told),) = engine.files.items()
        assert told == f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{bootstrap}\n"
        assert engine.asked["image"] == services.KAFKA_IMAGE
        assert file in engine.asked["command"][-1]
        assert engine.asked["environment"]["KAFKA_LISTENERS"].startswith("PLAINTEXT://:9092,")
    assert not engine.left


def test_postgres_is_asked_for_what_the_gateway_needs(engine: Engine) -> None:
    """The setting without which addressing fails on a batch of strangers; and it is used once it answers inside."""
    with services.contained_postgres() as server:
        asked = engine.asked
        assert "max_locks_per_transaction=256" in asked["command"]
        assert asked["image"] == services.POSTGRES_IMAGE
        name, password = asked["environment"]["POSTGRES_USER"], asked["environment"]["POSTGRES_PASSWORD"]
        assert server.dsn("some") == f"postgresql+asyncpg://{name}:{password}@127.0.0.1:40001/some"
        assert any("psql" in str(command) for command in engine.ran)
    assert not engine.left


def test_a_container_that_ends_by_itself_is_removed(engine: Engine) -> None:
    """It is not waited for, nothing of it stays behind, and the reason is raised."""
    engine.status = "exited"
    with pytest.raises((RuntimeError, StopIteration, TimeoutError)), services.contained_kafka():
        pytest.fail("a Kafka that has ended was handed over")
    assert not engine.left
