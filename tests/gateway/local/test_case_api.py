"""The stand-in for the case API answers as HMPPS's services do, and its log says how often and never of whom."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import pytest
from aiohttp.test_utils import TestServer

from adapters.hmpps.api import Source, Unanswered
from gateway.local.case_api import CLIENT, SECURE, SIGN_IN, CaseApi, Settings

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
PATH = "/offenders/crn/X007201/all"
CASE = {"otherIds": {"crn": "X007201"}}


@dataclass
class Played:
    """The service, who asks it, and its log."""

    base: str
    source: Source
    client: httpx.AsyncClient
    log: Path

    async def ask(self, path: str = PATH) -> object:
        """What it answers the gateway's own way of asking. Raises Unanswered."""
        return await self.source.get(self.client, path, NOW)

    def written(self) -> list[tuple[str, int]]:
        """The lines of the log."""
        return [(line["about"], line["status"]) for line in map(orjson.loads, self.log.read_bytes().splitlines())]


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Played]:
    """A service that knows one case."""
    log = tmp_path / "case-api.jsonl"
    api = CaseApi(Settings(port=0, client=CLIENT, secret="s", log=log))
    async with TestServer(api.application()) as server, httpx.AsyncClient() as client:
        base = str(server.make_url("")).rstrip("/")
        await client.put(f"{base}/answers", json={PATH: CASE})
        yield Played(base, Source(base + SECURE, base + SIGN_IN, CLIENT, "s"), client, log)
    api.close()


async def test_a_case_is_told_to_whom_it_may_be(played: Played) -> None:
    """The gateway signs in and is answered; somebody with another secret is not."""
    assert await played.ask() == CASE
    stranger = Source(played.source.base, played.source.token_url, CLIENT, "another")
    with pytest.raises(Unanswered):
        await stranger.get(played.client, PATH, NOW)
    assert (await played.client.get(f"{played.source.base}{PATH}")).status_code == 401
    assert played.written() == [("case", 200), ("case", 401)]


async def test_there_is_no_other_case(played: Played) -> None:
    """What it was not told it does not know, and that is a final answer."""
    with pytest.raises(Unanswered) as unanswered:
        await played.ask("/offenders/crn/X000000/convictions")
    assert unanswered.value.unfilled.final
    assert played.written() == [("part", 404)]


async def test_while_it_is_away_it_answers_nobody(played: Played) -> None:
    """It comes back with what it knew."""
    await played.client.put(f"{played.base}/away")
    with pytest.raises(Unanswered) as unanswered:
        await played.ask()
    assert not unanswered.value.unfilled.final
    await played.client.delete(f"{played.base}/away")
    assert await played.ask() == CASE


async def test_the_log_names_nobody(played: Played) -> None:
    """Neither the number in a path nor anything of an answer."""
    await played.ask()
    assert b"007201" not in played.log.read_bytes()
