"""Every parser of the registry, fuzzed: no crash, no hang, no finding by no rule, and bounded memory.

All of them share two minutes, or as many seconds as FUZZ_SECONDS says (`make fuzz` takes ten minutes).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.support.fuzzing import fuzz
from tests.support.mutation import MOST, mutated
from tests.support.parsers import Parser, parsers, registered, seeds

ROOT = Path(__file__).parents[2]
PARSERS = [parser for agency, adapter in registered().items() for parser in parsers(agency, adapter)]
SECONDS = max(int(os.environ.get("FUZZ_SECONDS", "120")) // len(PARSERS), 1)
"""For each."""

GROWTH = 64 << 20
"""Bytes a process may grow by over all messages it is given."""


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_nothing_breaks_a_parser(parser: Parser, tmp_path: Path) -> None:
    """The message that breaks one stands in the folder of this test, and why at the end of what is said."""
    told = [parser.agency, parser.door, parser.media_type, str(tmp_path), str(SECONDS)]
    argv = [sys.executable, "-m", "tests.support.fuzzing", *told]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=SECONDS + 100, check=False, text=True)
    assert done.returncode == 0, f"{tmp_path / 'message'}\n{done.stderr}"
    numbers = json.loads(done.stdout)
    assert numbers["messages"] > 10 * SECONDS
    assert numbers["bytes"] < GROWTH, numbers


def test_a_parser_that_breaks_is_found(tmp_path: Path) -> None:
    """One that trusts that a field is a text is broken within a moment, and the message is kept."""

    def trusting(body: bytes) -> str:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return "refused"
        inner = document.get("inner") if isinstance(document, dict) else None
        return "accepted" if not isinstance(inner, dict) else str(inner.get("name", "").upper())

    example = json.dumps({"inner": {"name": "a"}, "other": [1, 2]}).encode()
    with pytest.raises(AttributeError):
        fuzz(trusting, [example], 30, Random(1), tmp_path / "message")
    with pytest.raises(AttributeError):
        trusting((tmp_path / "message").read_bytes())


@pytest.mark.parametrize("agency", registered())
def test_a_message_is_changed_in_a_way_that_can_be_repeated(agency: str) -> None:
    """Most mutations are another message, of bounded length, and the same again from the same seed."""
    changed = 0
    examples = seeds(agency)
    for number in range(200):
        seed = examples[number % len(examples)]
        one = mutated(seed, Random(number))
        assert one == mutated(seed, Random(number))
        assert len(one) <= MOST
        changed += one != seed
    assert changed > 150
