"""Canonical events as they reach addressing, journalled as intake would, and everything addressing decides by."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.addressing.address import Addressed, Arrived, Tools, address
from gateway.addressing.agreements import Agreements, load_agreements
from gateway.ids import delivery_id
from gateway.kafka.envelope import Envelope
from gateway.parties import Parties, Party
from gateway.sealing import BlindIndex, Sealer, Secrets
from gateway.store.session import session
from schemas.base import Change, Event, Retraction
from schemas.catalogue import CATALOGUE
from schemas.place_files import load_places
from schemas.places import Places
from tests.support.canary import EVERYBODY

ROOT = Path(__file__).parents[2]
AGREEMENTS = ROOT / "contracts" / "agreements"
SECRETS = Secrets.generate()
INDEX = BlindIndex(SECRETS.pepper)
SEALER = Sealer(SECRETS.kek)
NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
"""A Tuesday."""
AREAS = ("bracknell-forest", "enfield", "kent", "lincolnshire", "oxfordshire", "stockport", "wakefield", "wigan")

# Postcodes of the shipped table, by the area they lie in; none of an institution.
POSTCODE = {
    "enfield": "EN1 1TF",
    "stockport": "SK1 3XE",
    "wigan": "WN1 1XX",
    "lincolnshire": "LN1 1DD",
    "outside": "LS1 1UR",
}


@cache
def places() -> Places:
    """The shipped places."""
    return load_places(ROOT / "deploy" / "areas")


@cache
def agreements() -> Agreements:
    """The shipped agreements."""
    return load_agreements(AGREEMENTS)


def parties(without: Iterable[str] = ()) -> Parties:
    """A LASARS for every area, but for those left out."""
    return Parties(
        tuple(
            Party(id=f"lasars-{area}", name=area, recipient=True, service="lasars", area=area)
            for area in places().areas
            if area not in without
        )
    )


def tools(**changed: Any) -> Tools:
    """What addressing decides by, as shipped but for what is changed."""
    usual = Tools(
        index=INDEX,
        sealer=SEALER,
        namespace=SECRETS.namespace,
        places=places(),
        parties=parties(),
        agreements=agreements(),
    )
    return replace(usual, **changed)


# --- Events ----------------------------------------------------------------------------------------------------------


def person(
    number: int = 1,
    *,
    noms: str | None = None,
    pnc: str | None = None,
    custody: str | None = None,
    postcode: str | None = None,
    no_fixed_abode: bool = False,
    address: str = "declared",
    **address_more: Any,
) -> dict[str, Any]:
    """An invented person, the same for the same number, known by these identifiers."""
    made = EVERYBODY.person(number, None)
    given = (("noms", noms), ("pnc", pnc), ("custody", custody))
    told: dict[str, Any] = {
        "identifiers": [{"scheme": scheme, "raw": value, "value": value} for scheme, value in given if value],
        "name": {"forenames": made.forenames, "surname": made.surname},
        "date_of_birth": made.born,
        "sex": "female",
    }
    if postcode or no_fixed_abode:
        claim = {"kind": address, "postcode": postcode, "no_fixed_abode": no_fixed_abode, **address_more}
        told["addresses"] = [claim]
    return told


def occurred(at: datetime) -> dict[str, Any]:
    """A moment."""
    return {"at": at}


def drug_test(who: dict[str, Any], at: datetime = NOW, **more: Any) -> Event:
    """A test that is positive for cocaine, unless it is told otherwise, in the suite of Enfield."""
    told = {
        "suite": {"force": "01", "station": "YE"},
        "reason": "arrest",
        "trigger_offence": True,
        "cocaine": "positive",
        "opiates": "negative",
        "assessment_required": True,
    }
    return event("custody.drug-test.recorded", who, at, **{**told, **more})


def event(kind: str, who: dict[str, Any], at: datetime = NOW, **more: Any) -> Event:
    """An event of a kind."""
    return CATALOGUE[kind].event.model_validate({"person": who, "occurred": occurred(at), **more})


_AGENCIES = {"benefits": "dwp", "care": "gp", "imprisonment": "prison", "supervision": "probation"}
"""Who tells of a subject."""

# --- The journal -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Feed:
    """Events of one source after the other, chained as the journal would chain them."""

    sender: str = "force-01"
    heads: dict[str, uuid.UUID] = field(default_factory=dict)
    made: list[Arrived] = field(default_factory=list)
    number: int = 0

    def tell(
        self, told: Event | Retraction, *, fact: str | None = None, lane: str = "lane", at: datetime = NOW
    ) -> Arrived:
        """An event about a fact (a new one, where none is named), or what takes it back."""
        self.number += 1
        fact = fact or f"fact-{self.number}"
        before = self.heads.get(fact)
        change = Change.RETRACTION if isinstance(told, Retraction) else Change.CORRECTION if before else Change.FACT
        body = orjson.dumps(told.model_dump(mode="json"))
        event_id = uuid.uuid5(SECRETS.namespace, f"{self.sender}|{fact}|{self.number}")
        record_id = uuid.uuid5(SECRETS.namespace, f"record|{event_id}")
        self.heads[fact] = event_id
        agency = _AGENCIES.get(told.kind.partition(".")[0], "police_custody")
        envelope = Envelope(
            id=event_id,
            record_id=record_id,
            kind=told.kind,
            change=change,
            supersedes=before,
            sender=self.sender,
            agency=agency,
            fact=INDEX.of("fact", fact),
            lane=INDEX.of("lane", lane),
            occurred=told.occurred.at if isinstance(told, Event) else at,
            recorded=at,
        )
        key, self_wrapped = SEALER.new_key(record_id)
        arrived = Arrived(envelope, told, key, len(body))
        _WRAPPED[record_id] = self_wrapped
        self.made.append(arrived)
        return arrived


_WRAPPED: dict[uuid.UUID, bytes] = {}

_RECORDS = text(
    """
    insert into records (id, sender, agency, transport, body_hash, received, state, media_type, events)
    select id, 'test', 'test', cast(cast(id as text) as bytea), '', now(), 'translated', 'application/json', 1
    from unnest(cast(:ids as uuid[])) as t(id)
    """
)
_KEYS = text(
    """
    insert into data_keys (record_id, wrapped)
    select * from unnest(cast(:ids as uuid[]), cast(:wrapped as bytea[]))
    """
)
_BODIES = text(
    """
    insert into bodies (id, record_id, sealed)
    select * from unnest(cast(:ids as uuid[]), cast(:records as uuid[]), cast(:sealed as bytea[]))
    """
)
_EVENTS = text(
    """
    with event as (
        insert into events (id, record_id, sender, agency, kind, change, supersedes, fact, lane, shard, occurred,
                            recorded)
        values (:id, :record_id, :sender, :agency, :kind, :change, :supersedes, :fact, :lane, 0, :occurred, :recorded)
        returning lane, id, seq
    )
    insert into undecided (lane, event_id, seq) select lane, id, seq from event
    """
)


async def journal(connection: AsyncConnection, batch: Sequence[Arrived]) -> None:
    """Write down what intake would have written of these events."""
    ids = [one.envelope.id for one in batch]
    records = [one.envelope.record_id for one in batch]
    sealed = [one.key.seal(one.envelope.id, orjson.dumps(one.event.model_dump(mode="json"))) for one in batch]
    await connection.execute(_RECORDS, {"ids": records})
    await connection.execute(_KEYS, {"ids": records, "wrapped": [_WRAPPED[one] for one in records]})
    await connection.execute(_BODIES, {"ids": ids, "records": records, "sealed": sealed})
    await connection.execute(
        _EVENTS,
        [
            {
                "id": one.envelope.id,
                "record_id": one.envelope.record_id,
                "sender": one.envelope.sender,
                "agency": one.envelope.agency,
                "kind": one.envelope.kind,
                "change": one.envelope.change.value,
                "supersedes": one.envelope.supersedes,
                "fact": one.envelope.fact,
                "lane": one.envelope.lane,
                "occurred": one.envelope.occurred,
                "recorded": one.envelope.recorded,
            }
            for one in batch
        ],
    )


async def send(
    engine: AsyncEngine, batch: Sequence[Arrived], *, now: datetime = NOW, by: Tools | None = None
) -> Addressed:
    """Journal a batch, and address it in a transaction of its own."""
    async with engine.begin() as connection:
        await journal(connection, batch)
    return await decide(engine, batch, now=now, by=by)


async def decide(
    engine: AsyncEngine, batch: Sequence[Arrived], *, now: datetime = NOW, by: Tools | None = None
) -> Addressed:
    """Address a batch that is journalled already."""
    async with session(engine) as opened:
        return await address(opened, batch, now, by or tools())


# --- What came of it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery, and its document."""

    id: uuid.UUID
    recipient: str
    position: int
    person_id: uuid.UUID
    event_id: uuid.UUID
    role: str
    kind: str
    change: str
    decision: int
    agreement: str
    reason: str | None
    document: dict[str, Any]


_DELIVERIES = text(
    """
    select d.id, d.recipient, d.position, d.person_id, d.event_id, d.role, d.kind, d.change, d.decision, d.agreement,
           d.reason, d.record_id, b.sealed, k.wrapped
    from deliveries d join bodies b on b.id = d.id join data_keys k on k.record_id = d.record_id
    order by d.recipient, d.position
    """
)


async def deliveries(engine: AsyncEngine) -> list[Delivered]:
    """Every delivery, opened, by recipient and position."""
    async with engine.connect() as connection:
        rows = (await connection.execute(_DELIVERIES)).all()
    return [
        Delivered(
            *(
                getattr(row, name)
                for name in (
                    *("id", "recipient", "position", "person_id", "event_id", "role", "kind", "change", "decision"),
                    *("agreement", "reason"),
                )
            ),
            document=orjson.loads(SEALER.unwrap(row.record_id, row.wrapped).open(row.id, row.sealed)),
        )
        for row in rows
    ]


async def rows(engine: AsyncEngine, statement: str, **values: Any) -> list[dict[str, Any]]:
    """What a query gives, as dictionaries."""
    async with engine.connect() as connection:
        return [dict(row._mapping) for row in await connection.execute(text(statement), values)]


def id_of(one: Arrived, recipient: str, role: str = "home", decision: int = 1) -> uuid.UUID:
    """The id a delivery must have."""
    return delivery_id(SECRETS.namespace, one.envelope.id, recipient, role, decision)
