"""What a door turns away before it reads it is counted: by channel, by agency, and by the problem it told."""

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway.intake.parcel import Parcel, ParcelTaker
from gateway.intake.record import RecordTaker
from gateway.intake.spool import Spool
from gateway.sealing import BlindIndex
from tests.gateway.intake import test_bars as bars
from tests.gateway.intake.test_files import FILES, batch
from tests.gateway.intake.test_take import BAD, GOOD, RECORDS, Street
from tests.support.doors import (
    ADAPTERS,
    PARTIES,
    PRISON,
    SECRETS,
    STILL,
    FakeJournal,
    FakeRefusals,
    application,
    bearer,
    knocking,
    limits,
)

NO_STORE: Any = None
"""In place of the engine of a door that turns everything away before it asks the store."""


def counted() -> dict[tuple[str, ...], float]:
    """How often what has been counted in this process: channel, agency, status, problem."""
    return {
        tuple(sample.labels[name] for name in ("channel", "agency", "status", "problem")): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "gateway_messages_turned_away_total"
    }


Since = Callable[[], dict[tuple[str, ...], float]]


@pytest.fixture
def since() -> Since:
    """What is counted from now on."""
    before = counted()
    return lambda: {told: now - before.get(told, 0) for told, now in counted().items() if now > before.get(told, 0)}


async def endless() -> AsyncIterator[bytes]:
    """A body without an end."""
    while True:
        yield b"x" * 10


async def test_records_are_counted_by_what_was_wrong(since: Since) -> None:
    """Not signed in, another's feed, an id that is none, an unknown media type, too much at once, too much waiting."""
    street = Street(limits(max_body=100, max_waiting=1))
    await street.send(authorization="Bearer nothing")
    await street.send(**bearer(PRISON))
    await street.send(idempotency_key="")
    await street.send(content_type="text/plain")
    await street.send(content_length="101")
    await street.send(endless())
    street.journal.waiting = 1
    await street.send()
    assert since() == {
        ("http", "police_custody", "401", "not-signed-in"): 1,
        ("http", "police_custody", "404", "not-found"): 1,
        ("http", "police_custody", "400", "malformed-request"): 1,
        ("http", "police_custody", "415", "media-type-not-taken"): 1,
        ("http", "police_custody", "413", "too-large"): 2,
        ("http", "police_custody", "429", "too-busy"): 1,
    }


async def test_what_was_read_is_not_counted_as_turned_away(since: Since) -> None:
    """A record that is taken, refused, or another under a used id was read, and is counted by its fate alone."""
    street = Street()
    for body, message_id in ((GOOD, "m-1"), (BAD, "m-2"), (BAD, "m-1"), (GOOD + b"\n", "m-1")):
        await street.send(body, idempotency_key=message_id)
    assert since() == {}


async def test_an_address_that_somebody_made_up_is_in_no_label(since: Since) -> None:
    """An agency that is none of ours could be anything, and there could be any number of them."""
    street = Street()
    for made_up in ("casimir-oakenfold", "police-custody", "x" * 500):
        await street.send(path=RECORDS.replace("police_custody", made_up))
    assert since() == {("http", "unknown", "404", "not-found"): 3}


async def test_files_and_referrals_are_counted_too(since: Since) -> None:
    """At their own doors, a referral under its own channel."""
    door = application(NO_STORE, FakeJournal(), adapters=ADAPTERS, max_file=1024)
    async with knocking(door) as client:
        await client.post(FILES, content=batch(1), headers={"content-type": "text/csv"})
        await client.post(FILES, content=batch(99), headers=bearer() | {"content-type": "text/csv"})
        await client.post(bars.DOOR, content=bars.NEW, headers=bars.headers(x_request_id="1"))
        await client.post(bars.DOOR, content=bars.NEW, headers=bars.headers(authorization=""))
    assert since() == {
        ("http", "police_custody", "401", "not-signed-in"): 1,
        ("http", "police_custody", "413", "too-large"): 1,
        ("bars", "gp", "400", "malformed-request"): 1,
        ("bars", "gp", "401", "not-signed-in"): 1,
    }


async def test_what_lies_in_a_folder_or_a_mailbox_is_counted_too(since: Since) -> None:
    """What is too large there or of no kind the agency sends, under the channel it came by."""
    index = BlindIndex(SECRETS.pepper)
    records = RecordTaker(FakeJournal(), FakeRefusals(), index, SECRETS.namespace, "drop")
    taker = ParcelTaker(records, NO_STORE, max_record=10, max_file=10, clock=STILL)
    (force,) = (party for party in PARTIES.all if party.id == "met-police")
    for media_type in ("application/xml", "text/csv", "text/plain", None):
        spool = Spool(io.BytesIO())
        spool.write([b"x" * (11 if media_type in ("application/xml", "text/csv") else 1)])
        await taker.take(Parcel(force, ADAPTERS["police_custody"], media_type), spool.whole())
    assert since() == {
        ("drop", "police_custody", "413", "too-large"): 2,
        ("drop", "police_custody", "415", "media-type-not-taken"): 2,
    }
