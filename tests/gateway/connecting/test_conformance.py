"""The conformance cases, against a gateway that runs."""

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.registry import adapters
from gateway.clock import system_clock
from gateway.connecting.access_cases import Keys
from gateway.connecting.case import Result, try_all
from gateway.connecting.conformance import cases
from gateway.connecting.feed import Feed
from gateway.connecting.keys import new_key, parties_entry, public_half, write_key
from gateway.connecting.sign_in import Identity, open_client
from gateway.connecting.triggers import CONTRACTS, examples
from gateway.local.installation import Installation
from gateway.settings import Kafka
from tests.support.system import System

OPTIONS = {"gp": {"lasars_services": "*"}}
ADAPTERS = adapters(OPTIONS)
ENDS = datetime.now(UTC) + timedelta(days=30)
NEVER = {14, 15}
"""What only the sender's own system can show."""

NAMES = {
    str(fact.event.person.name.surname)
    for adapter in ADAPTERS.values()
    for example in examples(adapter, CONTRACTS, system_clock())
    for fact in example.outcome.facts
    if fact.event is not None and fact.event.person.name is not None
}
"""Of the people in the examples: no report names any."""

pytestmark = [pytest.mark.services, pytest.mark.slow]


def client(agency: str) -> str:
    """The client that sends an agency's feed."""
    return f"new-{agency.replace('_', '-')}"


@pytest.fixture
async def system(tmp_path: Path, postgres: str, kafka_settings: Kafka) -> AsyncIterator[System]:
    """A gateway, whole; each agency has a client with a key in use, the next one, and one that is past its end."""
    own = Installation(tmp_path)
    entries = []
    for agency in ADAPTERS:
        now, following = (new_key(client(agency), "Ed25519", ENDS) for _ in range(2))
        expired = new_key(client(agency), "ES256", datetime.now(UTC) - timedelta(days=1))
        for name, key in (("", now), (".next", following), (".expired", expired)):
            write_key(own.key_file(client(agency) + name), key)
        entry = parties_entry(client(agency), agency, client(agency), agency, now)
        more = ", ".join(_toml(public_half(key)) for key in (following, expired))
        entries.append(entry.replace(" }] }]", f" }}, {more}] }}]"))
    own.newcomers.write_text("\n".join(entries))
    one = System(tmp_path, postgres, kafka_settings, 9, adapters=OPTIONS)
    await one.start()
    yield one
    one.end()


async def test_every_agency_passes_what_it_has_messages_for(system: System) -> None:
    """All 24 are passed, or listed with the reason why they were not tried; none fails."""
    told = {}
    for agency, adapter in ADAPTERS.items():
        name = client(agency)
        who = Identity(system.url, name, system.own.key(name))
        keys = Keys(system.own.key(f"{name}.expired"), system.own.key(f"{name}.next"))
        async with open_client(who) as session:
            feed = Feed(session, adapter, CONTRACTS, random.Random(agency), system_clock)
            told[agency] = await try_all(cases(feed, who, keys, system_clock), lambda _: None)
    failed = {agency: [case.line() for case in tried if case.result is Result.FAILED] for agency, tried in told.items()}
    assert failed == {agency: [] for agency in ADAPTERS}
    for tried in told.values():
        assert len(tried) == 24
        left_out = [case for case in tried if case.result is Result.NOT_TRIED]
        assert all(case.why for case in left_out)
        assert {case.number for case in left_out} >= NEVER
        assert not any(name in case.line() + case.sent for case in tried for name in NAMES)
    custody = [case.number for case in told["police_custody"] if case.result is Result.NOT_TRIED]
    assert custody == [14, 15, 24]


def _toml(key: dict[str, object]) -> str:
    """A public key as a parties file has it; JSON's numbers and strings are TOML's."""
    return "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in key.items()) + " }"
