"""The demonstration, as anybody runs it: it must end well, and must see when something is missing."""

import re
import resource
from pathlib import Path

import asyncpg
import pytest

from gateway.local.installation import settings_of
from gateway.local.journeys import JOURNEYS
from tests.journeys.lgw import lgw
from tests.support.canary import Canaries

PEOPLE = (1001, 2002, 3001, 3002, 3003, 4001, 5001, 5002, 5003, 7001, 7101, 7201, 7202, 7301, 7303)
FILES = (range(6001, 6501), range(7400, 7441))
MEMORY = 1536
"""MiB that all processes may take together."""
PROCESSOR = 45.0
"""Seconds of processor time a run may take. Unlike the 30 s it may last, they do not depend on what else runs."""

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
    """Every journey comes out as expected, all is accounted for, memory is bounded, and nobody is named anywhere."""
    with lgw("demo", "--data", data, env={"GATEWAY_LOG_LEVEL": "DEBUG"}) as command:
        assert command.ends() == 0, command.said
    assert command.said[-1] == "Unaccounted for: 0"
    assert any(re.fullmatch(r"As expected: all of \d\d+ checks", line) for line in command.said)
    for journey in JOURNEYS:
        assert any(line.startswith(f"{journey.number}  ") for line in command.said)
    assert [line for line in command.said if len(line) > 80] == []
    memory = re.search(r"Memory of all processes: ([\d,]+) MiB", "\n".join(command.said))
    assert memory is not None
    assert int(memory[1].replace(",", "")) < MEMORY
    canaries = Canaries()
    for number in (*PEOPLE, *(number for file in FILES for number in file)):
        canaries.person(number, None)
    written = [file for folder in ("logs", "books") for file in (data / folder).iterdir()]
    written += [file for file in (data / "drop").rglob("*.txt.*") if file.is_file()]
    assert len(written) > 15
    places = [(file.name, file.read_bytes()) for file in written]
    assert canaries.find([*places, ("what was said", "\n".join(command.said).encode())]) == set()


async def test_a_delivery_that_disappears_is_missed(data: Path) -> None:
    """One delivery row deleted before the accounts are made up: unaccounted for is 1, and the exit is not 0.

    It is the second run on the same services, and holds what such a run may take.
    """
    before = _processor()
    with lgw("demo", "--data", data, "--pause") as command:
        command.until("Press Enter")
        connection = await asyncpg.connect(settings_of(data).store.dsn.replace("+asyncpg", ""))
        assert await connection.execute(_DELETE) == "DELETE 1"
        await connection.close()
        command.enter()
        assert command.ends() == 1
    assert command.said[-1] == "Unaccounted for: 1"
    assert "  1 in the ledgers, deliveries of decisions" in command.said
    assert _processor() - before < PROCESSOR


def _processor() -> float:
    """Seconds of processor time all processes took that have ended, theirs included."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime
