"""Asking the case API for what an event points at."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from adapters.base import Accepted, Adapter, Fetched, Message, Unfilled
from adapters.hmpps.api import LARGEST, source_of
from adapters.prison import build as build_prison
from adapters.probation import build
from tests.adapters.probation.records import (
    CRN,
    DELIUS,
    address,
    case,
    conviction,
    event,
    facts,
    message,
    notification,
    requirement,
)
from tests.support.case_api import CaseApi, case_api

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CASE = f"/offenders/crn/{CRN}/all"
CONVICTIONS = f"/offenders/crn/{CRN}/convictions"
BREACH = event("enforcement.breach.raised") | {"detailUrl": "http://169.254.169.254/latest/meta-data"}


@pytest.fixture
async def api() -> AsyncIterator[CaseApi]:
    """A case API that knows one case."""
    async with case_api() as running:
        manager = case()["offenderManagers"][0] | {"staff": {"surname": "none of ours"}}
        more = {"offenderProfile": {"religion": "none of ours"}, "offenderManagers": [manager]}
        running.answers[CASE] = case(address(type={"code": "A01C", "description": "none of ours"})) | more
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client as the gateway would hand it in."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as opened:
        yield opened


@pytest.fixture(autouse=True)
def hasty() -> Any:
    """Retries without the waits between them."""
    with stamina.set_testing(True, attempts=3):
        yield


def asking(api: CaseApi, folder: Path) -> Adapter:
    """The adapter of an installation that asks this API."""
    return build(api.options(folder))


async def fetch(adapter: Adapter, record: Any, client: httpx.AsyncClient, now: datetime = NOW) -> Fetched | Unfilled:
    """What comes of asking."""
    assert adapter.fetch is not None
    return await adapter.fetch(message(record), client, now)


def filled(answer: Fetched | Unfilled) -> dict[str, Any]:
    """The record with what was attached."""
    assert isinstance(answer, Fetched), answer
    told: dict[str, Any] = json.loads(answer.body)
    return told


@pytest.mark.parametrize("record", [BREACH, notification(BREACH, BREACH["eventType"])], ids=["bare", "notification"])
async def test_a_pointer_is_filled_with_its_case(
    record: dict[str, Any], api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The record comes back as it would have been sent with its case; only what the contract names is attached."""
    adapter = asking(api, tmp_path)
    answer = await fetch(adapter, record, client)
    told = filled(answer)
    assert told["event"] == record
    assert told["fetchedAt"] == NOW.isoformat()
    assert "none of ours" not in str(told)
    assert told["snapshot"] == case(address(type={"code": "A01C"}))
    assert isinstance(answer, Fetched)
    outcome = adapter.read(Message(answer.body, "application/json", NOW))
    assert set(facts(outcome)) == {"address-changed", "breached"}
    assert api.asked == [CASE]  # and never what the event's own detailUrl says


async def test_a_requirement_is_looked_for_in_every_conviction(
    api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The event gives the requirement's number and not the conviction's; the event number narrows it down."""
    api.answers[CONVICTIONS] = [conviction("1") | {"convictionId": 11}, conviction("2") | {"convictionId": 12}]
    api.answers[f"{CONVICTIONS}/11/requirements"] = {"requirements": []}
    api.answers[f"{CONVICTIONS}/12/requirements"] = {"requirements": [requirement()]}
    adapter = asking(api, tmp_path)
    answer = await fetch(adapter, event(f"{DELIUS}requirement.created", requirementId="2500412207"), client)
    assert isinstance(answer, Fetched)
    outcome = adapter.read(Message(answer.body, "application/json", NOW))
    assert isinstance(outcome, Accepted)
    assert "requirement-started" in facts(outcome)
    api.asked.clear()
    numbered = event(f"{DELIUS}requirement.created", requirementId="2500412207", eventNumber="2")
    assert isinstance(await fetch(adapter, numbered, client), Fetched)
    assert api.asked == [CASE, CONVICTIONS, f"{CONVICTIONS}/12/requirements"]


async def test_a_sentence_is_asked_for_with_its_convictions(
    api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """What is told of a sentence stands in the convictions, so they are asked for, and nothing else is."""
    api.answers[CONVICTIONS] = [conviction()]
    told = filled(await fetch(asking(api, tmp_path), event(f"{DELIUS}sentence.created", eventNumber="2"), client))
    assert api.asked == [CASE, CONVICTIONS]
    assert told["snapshot"]["convictions"] == [
        {name: one for name, one in conviction().items() if name != "convictionId"}
    ]


async def test_one_token_serves_until_it_ends(api: CaseApi, client: httpx.AsyncClient, tmp_path: Path) -> None:
    """The service is signed in to once for as long as the token may be used."""
    adapter = asking(api, tmp_path)
    await fetch(adapter, BREACH, client)
    await fetch(adapter, BREACH, client, NOW + timedelta(minutes=9))
    assert api.tokens == 1
    await fetch(adapter, BREACH, client, NOW + timedelta(minutes=10))
    assert api.tokens == 2


async def test_a_token_that_is_refused_is_not_used_again(
    api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """After a 401 the next try signs in anew."""
    adapter = asking(api, tmp_path)
    api.statuses.append(401)
    assert await fetch(adapter, BREACH, client) == Unfilled("source_unavailable")
    assert isinstance(await fetch(adapter, BREACH, client), Fetched)
    assert api.tokens == 2


@pytest.mark.parametrize(
    ("status", "unfilled"),
    [
        (404, Unfilled("source_has_none", final=True)),
        (403, Unfilled("source_withholds", final=True)),
        (400, Unfilled("source_unavailable")),
        (302, Unfilled("source_unavailable")),
    ],
)
async def test_an_answer_is_an_answer(
    status: int, unfilled: Unfilled, api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """No case and no right to it are final, by name; a redirect is not followed; none is tried again at once."""
    api.statuses.append(status)
    api.location = f"{api.base}/secure{CASE}"
    assert await fetch(asking(api, tmp_path), BREACH, client) == unfilled
    assert api.asked == [CASE]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_fault_that_passes_is_outlived(
    status: int, api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Two faults and then the answer is the answer; three are none for now."""
    adapter = asking(api, tmp_path)
    api.statuses.extend([status] * 2)
    assert isinstance(await fetch(adapter, BREACH, client), Fetched)
    api.statuses.extend([status] * 3)
    assert await fetch(adapter, BREACH, client) == Unfilled("source_unavailable")
    assert len(api.asked) == 6


@pytest.mark.parametrize(
    ("answer", "unfilled"),
    [
        (b"{", Unfilled("source_answer_unreadable")),
        (b"[]", Unfilled("source_answer_unreadable")),
        (b" " * (LARGEST + 1), Unfilled("source_answer_too_large", final=True)),
    ],
)
async def test_what_cannot_be_read_fills_nothing(
    answer: bytes, unfilled: Unfilled, api: CaseApi, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """An answer that is no case, or has no end, is not attached."""
    api.answers[CASE] = answer
    assert await fetch(asking(api, tmp_path), BREACH, client) == unfilled


async def test_nobody_is_asked_under_a_wrong_name(api: CaseApi, client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Without a token no case is asked for; a service that is away is away."""
    adapter = build(api.options(tmp_path) | {"client_id": "somebody-else"})
    assert await fetch(adapter, BREACH, client) == Unfilled("source_not_signed_in")
    assert api.asked == []
    gone = build(api.options(tmp_path) | {"token_url": "http://127.0.0.1:9/token"})
    assert await fetch(gone, BREACH, client) == Unfilled("source_unavailable")


async def test_what_points_nowhere_is_not_asked_for(api: CaseApi, client: httpx.AsyncClient, tmp_path: Path) -> None:
    """A record that names nobody leads to no request, whatever text stands where a CRN should."""
    adapter = asking(api, tmp_path)
    hostile = event("enforcement.breach.raised", crn="../../auth/oauth/token?x=")
    assert await fetch(adapter, hostile, client) == Unfilled("pointer_unreadable", final=True)
    assert api.asked == []


async def test_prison_asks_prisoner_search(api: CaseApi, client: httpx.AsyncClient, tmp_path: Path) -> None:
    """The prison feed fills its pointers the same way, from a service of its own."""
    api.answers["/prisoner/A4827KX"] = {
        "prisonerNumber": "A4827KX",
        "lastName": "ASHDALE",
        "legalStatus": "SENTENCED",
        "religion": "none of ours",
    }
    adapter = build_prison(api.options(tmp_path, "prisoner_search"))
    changed = {
        "eventType": "prison-offender-events.prisoner.imprisonment-status-changed",
        "version": 1,
        "occurredAt": "2025-06-03T10:00:00+01:00",
        "additionalInformation": {"nomsNumber": "A4827KX"},
    }
    answer = await fetch(adapter, changed, client)
    assert "religion" not in filled(answer)["snapshot"]
    assert isinstance(answer, Fetched)
    assert isinstance(adapter.read(Message(answer.body, "application/json", NOW)), Accepted)


@pytest.mark.parametrize("url", ["http://cases.example", "ftp://cases.example", "cases.example"])
def test_a_source_is_asked_over_tls(url: str, tmp_path: Path) -> None:
    """Nothing of a person is asked for in the clear, but on this machine."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    options = {"token_url": url, "client_id": "x", "client_secret_file": str(secret)}
    with pytest.raises(ValueError, match="no https address"):
        source_of({"case_api": "https://cases.example", **options}, "case_api")


def test_a_secret_shows_nowhere(tmp_path: Path) -> None:
    """What a source prints of itself holds neither secret nor token."""
    api = CaseApi(base="https://cases.example")
    source = source_of(api.options(tmp_path), "case_api")
    assert "not-a-secret" not in repr(source)
