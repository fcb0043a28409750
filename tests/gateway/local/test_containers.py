"""The other way to have real services: in containers, where a Docker engine answers."""

import asyncpg
import pytest

from gateway.local import metadata
from tests.support import services

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("docker")]


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


def test_kafka_in_a_container_answers_where_it_says() -> None:
    """Kafka in a container answers at the address it gives its clients, and knows itself."""
    with services.contained_kafka() as bootstrap:
        host, port = bootstrap.rsplit(":", 1)
        assert metadata.ask(host, int(port)) == {1}
