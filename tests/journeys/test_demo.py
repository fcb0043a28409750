"""The demonstration, as anybody runs it: it must end well, and must see when something is missing."""

import re
from pathlib import Path

import asyncpg
import pytest

from gateway.local.installation import settings_of
from tests.journeys.lgw import lgw
from tests.support.canary import Canaries

pytestmark = [pytest.mark.services, pytest.mark.slow]

_DELETE = """
delete from deliveries where id = (
    select id from deliveries where state = 'acknowledged' and role = 'home' order by created, id limit 1)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose services are kept for the next demonstration."""
    return tmp_path_factory.mktemp("demo")


def test_the_demonstration_ends_well(data: Path) -> None:
    """Six journeys come out as expected, all is accounted for, memory is bounded, and nobody is named anywhere."""
    with lgw("demo", "--data", data, env={"GATEWAY_LOG_LEVEL": "DEBUG"}) as command:
        assert command.ends() == 0, command.said
    assert command.said[-1] == "Unaccounted for: 0"
    assert any(re.fullmatch(r"As expected: all of \d\d+ checks", line) for line in command.said)
    for number in range(1, 7):
        assert any(line.startswith(f"{number}  ") for line in command.said)
    assert [line for line in command.said if len(line) > 80] == []
    memory = re.search(r"Memory of all processes: ([\d,]+) MiB", "\n".join(command.said))
    assert memory is not None
    assert int(memory[1].replace(",", "")) < 1536
    canaries = Canaries()
    for number in (1001, 2002, 3001, 3002, 3003, 4001, 5001, 5002, 5003, *range(6001, 6501)):
        canaries.person(number, None)
    written = [file for folder in ("logs", "books") for file in (data / folder).iterdir()]
    assert len(written) > 10
    places = [(file.name, file.read_bytes()) for file in written]
    assert canaries.find([*places, ("what was said", "\n".join(command.said).encode())]) == set()


async def test_a_delivery_that_disappears_is_missed(data: Path) -> None:
    """One delivery row deleted before the accounts are made up: unaccounted for is 1, and the exit is not 0."""
    with lgw("demo", "--data", data, "--pause") as command:
        command.until("Press Enter")
        connection = await asyncpg.connect(settings_of(data).store.dsn.replace("+asyncpg", ""))
        assert await connection.execute(_DELETE) == "DELETE 1"
        await connection.close()
        command.enter()
        assert command.ends() == 1
    assert command.said[-1] == "Unaccounted for: 1"
    assert "  1 in the ledgers, deliveries of decisions" in command.said
