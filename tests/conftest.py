"""Fixtures every test may ask for: a database and a Kafka of its own, on one server of each for the session."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from gateway.settings import Kafka
from tests.support import services
from tests.support.overheard import Session
from tests.support.samples import SAMPLES

for name in [name for name in os.environ if name.startswith("GATEWAY_") and name != SAMPLES]:
    del os.environ[name]  # no developer's shell changes a result

ENGINE = services.docker_engine()


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the whole session at DEBUG; pytest itself keeps only warnings, or every test would keep its babble."""
    config.option.log_level = config.option.log_level or "WARNING"
    config.pluginmanager.register(Session(), "canaries")


def pytest_report_header() -> str:
    """Say what the tests run on."""
    return "services: containers" if ENGINE.answers else f"services: embedded ({ENGINE.reason})"


@pytest.fixture(scope="session")
def docker() -> None:
    """For tests of the containers themselves: skipped, with the reason, where no Docker engine answers."""
    if not ENGINE.answers:
        pytest.skip(ENGINE.reason)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Server]:
    """The session's PostgreSQL."""
    with ExitStack() as stack:
        yield stack.enter_context(
            services.contained_postgres()
            if ENGINE.answers
            else services.embedded_postgres(tmp_path_factory.mktemp("postgres"))
        )


@pytest.fixture(scope="session")
async def migrated(postgres_server: services.Server) -> services.Server:
    """The session's PostgreSQL, with the template of migrated databases in it."""
    await services.make_template(postgres_server)
    return postgres_server


@pytest.fixture
async def postgres(migrated: services.Server) -> AsyncIterator[str]:
    """The address (SQLAlchemy) of a migrated, empty database of the test's own."""
    async with services.fresh_database(migrated, services.MIGRATED) as dsn:
        yield dsn


@pytest.fixture
async def bare_postgres(postgres_server: services.Server) -> AsyncIterator[str]:
    """The address (SQLAlchemy) of a database of the test's own without any table."""
    async with services.fresh_database(postgres_server, "template1") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap servers of the session's Kafka. Use `kafka_settings` for topics nobody else has."""
    with ExitStack() as stack:
        yield stack.enter_context(
            services.contained_kafka() if ENGINE.answers else services.embedded_kafka(tmp_path_factory.mktemp("kafka"))
        )


@pytest.fixture
def kafka_settings(kafka: str) -> Kafka:
    """The session's Kafka, with a prefix of the test's own before every topic."""
    return Kafka(bootstrap=kafka, prefix=f"test-{uuid.uuid4().hex[:12]}.", partitions=3)
