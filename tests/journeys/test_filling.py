"""A pointer is asked for by a real process, which dies while it waits for the answer."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.local import ports
from gateway.local.agency import Sender
from gateway.local.cast import LINCOLN
from gateway.settings import Filling, Kafka, Store
from gateway.store.ledger import open_engine
from tests.support.case_api import case_api
from tests.support.system import System
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

NUMBER = "A4827KX"
CHANGED = {
    "eventType": "prison-offender-events.prisoner.imprisonment-status-changed",
    "version": 1,
    "occurredAt": "2025-06-03T10:00:00+01:00",
    "additionalInformation": {"nomsNumber": NUMBER},
    "detailUrl": "http://127.0.0.1:1/prisoner",
}


async def until_told(engine: AsyncEngine) -> tuple[int, int]:
    """Wait until every record is translated; how many events there are, and how often the source was asked."""
    async with asyncio.timeout(60):
        while True:
            async with engine.connect() as connection:
                waiting = await connection.scalar(text("select count(*) from records where state <> 'translated'"))
                if waiting == 0:
                    row = (
                        await connection.execute(
                            text("select (select count(*) from events), (select sum(tries) from fillings)")
                        )
                    ).one()
                    return row[0], row[1]
            await asyncio.sleep(0.05)


async def test_killed_while_the_source_answers(
    tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """What was accepted is told once, by the process that is started again, after the lease of the one that died."""
    [port] = ports.free(1)
    path = f"/prisoner/{NUMBER}"
    engine = open_engine(Store(dsn=postgres, pool=3))
    async with case_api() as api, aiohttp.ClientSession() as session:
        api.answers[path] = {"prisonerNumber": NUMBER, "lastName": "ASHDALE", "legalStatus": "SENTENCED"}
        api.hanging.add(path)
        system = System(
            tmp_path / "gateway",
            postgres,
            kafka_settings,
            port,
            zygote=zygote,
            adapters={"prison": api.options(tmp_path, "prisoner_search")},
            filling=Filling(lease=timedelta(seconds=4)),
        )
        try:
            await system.start("intake")
            sender = Sender(session, system.url, LINCOLN.id, system.own.key(LINCOLN.id))
            headers = {"content-type": "application/json", "idempotency-key": "one"}
            status, answer = await sender.send("/v1/feeds/prison/records", json.dumps(CHANGED).encode(), headers)
            assert (status, json.loads(answer)["state"]) == (202, "held")
            async with asyncio.timeout(20):
                await api.arrived.wait()
            system.kill("intake")
            api.hanging.clear()
            api.release()
            await system.start("intake")
            assert await until_told(engine) == (1, 2)
            assert api.asked == [path, path]
        finally:
            system.end()
            await engine.dispose()
