"""What is delivered keeps to the contract that recipients were given."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.base import Retraction
from tests.support.addressing import (
    NOW,
    POSTCODE,
    ROOT,
    Feed,
    deliveries,
    drug_test,
    event,
    person,
    send,
)
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services
SCHEMA = json.loads((ROOT / "contracts" / "outbound" / "lasars" / "delivery.schema.json").read_text())


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres) as opened:
        yield opened


async def test_every_document_keeps_to_the_contract(engine: AsyncEngine) -> None:
    """Facts, corrections, retractions, a held delivery that went out, and a stay: all are valid by the schema."""
    Draft202012Validator.check_schema(SCHEMA)
    contract = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    feed = Feed()
    inside = person(1, noms="A1111AA", custody="c")
    feed.tell(
        event("imprisonment.received", inside, prison="LII", reason="admission", dates={"expected": "2026-09-01"})
    )
    feed.tell(drug_test(inside, NOW - timedelta(hours=1)), fact="test")
    feed.tell(
        event(
            "imprisonment.status-changed",
            person(1, noms="A1111AA", postcode=POSTCODE["stockport"]),
            NOW + timedelta(hours=1),
            prison="LII",
            legal_status="sentenced",
        )
    )
    feed.tell(drug_test(person(1, custody="c", postcode=POSTCODE["wigan"]), NOW + timedelta(hours=2)), fact="test")
    feed.tell(Retraction(kind="custody.drug-test.recorded", reason="withdrawn"), fact="test")
    for one in feed.made:
        await send(engine, [one])
    documents = [one.document for one in await deliveries(engine)]
    for document in documents:
        contract.validate(document)
    assert {document["change"] for document in documents} == {"fact", "correction", "retraction"}
    assert any("placement" in document for document in documents)
    assert any(document["change"] == "fact" and document["role"] == "home" for document in documents)


async def test_a_document_says_nothing_of_the_person_outside_its_data(engine: AsyncEngine) -> None:
    """Name, number, birth date and address stand in no other part, and what is not agreed in none at all."""
    who = person(1, custody="01/YE/CANARY", pnc="2004/0137251W", postcode=POSTCODE["stockport"])
    who["addresses"][0]["lines"] = ["CANARY ROW"]
    name, born = who["name"], who["date_of_birth"].isoformat()
    await send(engine, [Feed().tell(drug_test(who, reason="inspector"))])
    for one in await deliveries(engine):
        data = one.document.pop("data")
        assert data["person"]["name"]["surname"] == name["surname"]
        assert data["person"]["identifiers"] == [{"scheme": "pnc", "value": "2004/0137251W"}]
        for told in ("CANARY", POSTCODE["stockport"], "inspector"):
            assert told not in json.dumps(data)
        for told in (name["surname"], name["forenames"], born, "0137251W", "CANARY", "SK1", "cocaine"):
            assert told not in json.dumps(one.document)
