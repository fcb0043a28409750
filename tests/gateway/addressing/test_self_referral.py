"""A self-referral at the wrong area: rerouted to home, with an acknowledgement to the area that took it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.self_referral import build
from gateway.addressing.address import Arrived
from gateway.intake.http import build_app
from gateway.kafka.envelope import Envelope
from gateway.parties import Parties
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Settings, Store
from gateway.store.ledger import open_engine
from schemas.base import Retraction
from schemas.catalogue import decode, decode_retraction
from tests.support.addressing import decide, rows, tools
from tests.support.doors import (
    EXAMPLES,
    FORCE,
    ISSUER,
    NOW,
    PRISON,
    SECRETS,
    STILL,
    STOCKPORT,
    Signer,
    bearer,
    knocking,
    party,
    real_journal,
)

pytestmark = pytest.mark.services

SEALER = Sealer(SECRETS.kek)
ENFIELD = PRISON
"""A client's key is anybody's, as long as the parties say whose."""
PARTIES = Parties(
    (
        party("met-police", FORCE, agency="police_custody"),
        party("lasars-enfield", ENFIELD, recipient=True, service="lasars", area="enfield"),
        party("lasars-stockport", STOCKPORT, recipient=True, service="lasars", area="stockport"),
    )
)
ELSEWHERE = json.loads((EXAMPLES / "self_referral/examples/accepted/taken-at-another-area.json").read_text())
DOOR = "/v1/feeds/self_referral/records"


class Office:
    """The gateway, with a LASARS at Enfield and one at Stockport."""

    def __init__(self, engine: AsyncEngine, client: httpx.AsyncClient) -> None:
        self.engine = engine
        self.client = client

    async def send(self, told: dict[str, Any], signer: Signer = ENFIELD) -> httpx.Response:
        """Send a record, and let addressing decide what it tells."""
        headers = bearer(signer) | {"content-type": "application/json"}
        answer = await self.client.post(DOOR, content=json.dumps(told), headers=headers)
        found = await rows(
            self.engine,
            "select e.*, b.sealed, k.wrapped from events e join bodies b on b.id = e.id"
            " join data_keys k on k.record_id = e.record_id"
            " where not exists (select from decisions d where d.event_id = e.id) order by e.seq",
        )
        by = tools(index=BlindIndex(SECRETS.pepper), sealer=SEALER, namespace=SECRETS.namespace, parties=PARTIES)
        await decide(self.engine, [_arrived(row) for row in found], now=NOW, by=by)
        return answer

    async def receipt(self, answer: httpx.Response, signer: Signer = ENFIELD) -> dict[str, Any]:
        """The receipt of a record, as its sender reads it."""
        read = await self.client.get(answer.json()["links"]["receipt"], headers=bearer(signer))
        assert read.status_code == 200
        (event,) = read.json()["events"]
        return dict(event)

    async def delivered(self) -> list[tuple[str, str]]:
        """Who was sent it, in which role."""
        found = await rows(self.engine, "select recipient, role from deliveries order by recipient, position")
        return [(row["recipient"], row["role"]) for row in found]


def _arrived(row: dict[str, Any]) -> Arrived:
    """An event of the journal, as Kafka would hand it over."""
    key = SEALER.unwrap(row["record_id"], row["wrapped"])
    body = key.open(row["id"], row["sealed"])
    envelope = Envelope(
        id=row["id"],
        record_id=row["record_id"],
        kind=row["kind"],
        change=row["change"],
        supersedes=row["supersedes"],
        sender=row["sender"],
        agency=row["agency"],
        fact=row["fact"],
        lane=row["lane"],
        occurred=row["occurred"],
        recorded=row["recorded"],
    )
    told = decode_retraction(body) if row["change"] == "retraction" else decode(row["kind"], body)
    assert not isinstance(told, Retraction) or row["supersedes"] is not None
    return Arrived(envelope, told, key, len(body))


@pytest.fixture
async def office(postgres: str) -> AsyncIterator[Office]:
    """The gateway with nothing in it."""
    engine = open_engine(Store(dsn=postgres))
    settings = Settings(issuer=ISSUER)
    async with real_journal(engine) as journal:
        app = build_app(settings, PARTIES, SECRETS, {"self_referral": build({})}, journal, engine, STILL)
        async with knocking(app) as client:
            yield Office(engine, client)
    await engine.dispose()


async def test_it_goes_home_and_the_area_that_took_it_holds(office: Office) -> None:
    """A resident of Stockport asks in Enfield: Stockport is responsible, Enfield goes on acting."""
    assert (await office.send(ELSEWHERE)).status_code == 202
    assert await office.delivered() == [("lasars-enfield", "holding"), ("lasars-stockport", "home")]
    assert [row["area"] for row in await rows(office.engine, "select area from responsibilities")] == ["stockport"]


async def test_the_area_that_took_it_sees_homes_answer_on_its_receipt(office: Office) -> None:
    """Rerouted is not gone: who took it knows who has it, and what they said."""
    answer = await office.send(ELSEWHERE)
    async with office.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into receipts (delivery_id, number, result, at)"
                " select id, 1, 'accepted', :at from deliveries where role = 'home'"
            ),
            {"at": NOW + timedelta(hours=1)},
        )
    told = await office.receipt(answer)
    by_role = {one["role"]: one for one in told["deliveries"]}
    assert by_role["home"]["area"] == "stockport"
    assert [one["result"] for one in by_role["home"]["results"]] == ["accepted"]


async def test_where_home_is_not_known_the_area_that_took_it_keeps_it(office: Office) -> None:
    """It is responsible, and home's delivery waits until somebody finds out."""
    told = {name: value for name, value in ELSEWHERE.items() if name != "address"}
    answer = await office.send(told)
    assert await office.delivered() == [("lasars-enfield", "holding")]
    assert [row["area"] for row in await rows(office.engine, "select area from responsibilities")] == ["enfield"]
    held = (await office.receipt(answer))["held"]
    assert [(one["role"], one["reason"]) for one in held] == [("home", "no_home_area")]


async def test_taken_at_home_it_is_told_once(office: Office) -> None:
    """One LASARS that is home and took it gets it as home."""
    told = {**ELSEWHERE, "takenAt": "stockport"}
    await office.send(told, STOCKPORT)
    assert await office.delivered() == [("lasars-stockport", "home")]


async def test_taken_back_it_is_taken_back_from_both(office: Office) -> None:
    """Whoever got it is told to forget it."""
    await office.send(ELSEWHERE)
    withdrawn = {name: ELSEWHERE[name] for name in ("version", "reference", "takenAt")}
    await office.send({**withdrawn, "eventType": "self-referral.withdrawn", "recordVersion": 2, "reason": "duplicate"})
    assert await office.delivered() == [
        ("lasars-enfield", "holding"),
        ("lasars-enfield", "holding"),
        ("lasars-stockport", "home"),
        ("lasars-stockport", "home"),
    ]
    changes = await rows(office.engine, "select distinct change from deliveries order by 1")
    assert [row["change"] for row in changes] == ["fact", "retraction"]


async def test_a_lasars_speaks_for_its_own_area_alone(office: Office) -> None:
    """Stockport cannot say that Enfield took it, and police cannot send one at all."""
    refused = await office.send(ELSEWHERE, STOCKPORT)
    assert refused.status_code == 422
    assert [one["rule"] for one in refused.json()["errors"]] == ["SR-014"]
    assert (await office.send(ELSEWHERE, FORCE)).status_code == 404
