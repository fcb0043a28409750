"""What a test kit finds to send in an agency's examples."""

import random
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from adapters import _template
from adapters.base import Held, Outcome, Refused
from adapters.registry import adapters
from gateway.clock import system_clock
from gateway.connecting.feed import Feed
from gateway.connecting.triggers import CONTRACTS


@pytest.fixture
async def session() -> AsyncIterator[httpx.AsyncClient]:
    """A client that nothing is to be sent by."""
    async with httpx.AsyncClient() as client:
        yield client


def is_held(told: Outcome) -> bool:
    """Whether a record waits."""
    return isinstance(told, Held)


def is_refused(told: Outcome) -> bool:
    """Whether a record is refused."""
    return isinstance(told, Refused)


@pytest.mark.parametrize(("folder", "fits"), [("held", is_held), ("refused", is_refused)])
async def test_a_row_of_a_batch_file_is_an_example_too(
    session: httpx.AsyncClient, folder: str, fits: Callable[[Outcome], bool]
) -> None:
    """Where the examples are CSV files, a row under its header is sent alone, as what the contract says it is."""
    feed = Feed(session, _template.build({}), CONTRACTS, random.Random(1), system_clock)
    found = feed.other(folder, fits, lacks="none")
    assert (found.file.suffix, found.media_type) == (".csv", "text/csv")
    assert len(found.body.splitlines()) == 2
    assert fits(feed.outcome(found.body, found.media_type))


async def test_what_is_sent_as_a_record_is_taken_as_one(session: httpx.AsyncClient) -> None:
    """Whatever format an example came in, the door for records takes what is sent of it."""
    for agency, adapter in adapters().items():
        feed = Feed(session, adapter, CONTRACTS, random.Random(agency), system_clock)
        for folder, fits in (("held", is_held), ("refused", is_refused)):
            found = feed.other(folder, fits, lacks="none")
            assert found.media_type in adapter.records, (agency, folder)
