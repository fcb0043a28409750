"""Whatever is put before a parser is refused before it costs much, for every parser of the registry."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bombs import bombs, segment_bombs
from tests.support.parsers import parsers, registered

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SECONDS, BYTES = 1.0, 64 << 20
"""What one of them may cost (PROMISES row 29)."""

AGENCIES = registered()


@pytest.mark.parametrize("agency", AGENCIES)
def test_no_bomb_costs_a_parser_much(agency: str) -> None:
    """Each is refused, held, ignored or cut into rows for at most a second of work and 64 MiB; none is accepted."""
    argv = [sys.executable, "-m", "tests.support.bombing", agency]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) >= len([*bombs(), *segment_bombs()]) * len(list(parsers(agency, AGENCIES[agency])))
    assert not [cost for cost in told if cost["came"].startswith(("raised", "died", "accepted"))]
    slowest = max(told, key=lambda cost: float(cost["seconds"]))
    largest = max(told, key=lambda cost: int(cost["bytes"]))
    assert slowest["seconds"] <= SECONDS, slowest
    assert largest["bytes"] <= BYTES, largest
