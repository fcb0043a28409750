"""The kit for recipients: what is right passes, and what is wrong fails the case that is about it, and no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import httpx
import orjson
import pytest
from joserfc.jwk import OKPKey
from jsonschema import Draft202012Validator

from gateway.clock import system_clock
from gateway.connecting.case import Case, Result, try_all
from gateway.connecting.invented import referral
from gateway.connecting.pushing import Pusher
from gateway.connecting.recipient_kit import DEPENDED_ON, Pace, RecipientKit
from gateway.connecting.stand_in import StandIn
from gateway.local import ports
from gateway.local.recipient import PartySettings, Settings, play
from gateway.sealing import Signer
from tests.support.endpoint import Fault, endpoint

SIGNER = Signer((b"k" * 32,))
QUICK = Pace(slow=0.2, late=0.2, within=3.0, quiet=0.2)
SCHEMA = Path(__file__).parents[3] / "contracts/outbound/lasars/delivery.schema.json"

FAILS = {
    Fault.TAKES_ANY_SIGNATURE: {2},
    Fault.TAKES_OLD: {3},
    Fault.TAKES_FUTURE: {4},
    Fault.RESERIALISES: {5},
    Fault.NEEDS_NO_ID: {6},
    Fault.FIRST_SIGNATURE_ONLY: {7},
    # Who knows no ids, or not for long, gives every effect again, however it comes to be repeated.
    Fault.FORGETS_IDS: {8, 9, 12, 14},
    # What is cut off and sent again may meet itself.
    Fault.CHECKS_THEN_ACTS: {9, 14},
    Fault.FORGETS_AFTER_A_WHILE: {12},
    Fault.FORGETS_WHAT_WAS_CUT: {14},
    Fault.NEEDS_WHAT_IS_CORRECTED: {10},
    Fault.HURRIES: {11},
    Fault.FETCHES_ONCE: {13},
    Fault.FOLLOWS_REDIRECTS: {15},
    Fault.TAKES_LITTLE: {16},
    Fault.BREAKS_ON_GZIP: {17},
    Fault.KNOWS_ALL_FIELDS: {18},
    Fault.KNOWS_ALL_KINDS: {19},
    Fault.IGNORES_NOTICES: {20},
    Fault.ANSWERS_ONCE: {21},
    Fault.INSISTS: {22},
}
"""By what an endpoint does wrong, the cases it must fail."""


@asynccontextmanager
async def stand_in() -> AsyncIterator[tuple[StandIn, str]]:
    """The kit's gateway, and its address."""
    one = StandIn(SIGNER, system_clock)
    async with one.serving("127.0.0.1", 0) as url:
        yield one, url


async def tried(one: StandIn, url: str) -> list[Case]:
    """Every case, against the endpoint at this address."""
    async with httpx.AsyncClient(timeout=QUICK.within, trust_env=False) as client:
        kit = RecipientKit(Pusher(client, url, SIGNER, one, system_clock, Random(7)), one, QUICK)
        return await try_all(kit.cases(), lambda _: None, first=DEPENDED_ON)


def failed(cases: list[Case]) -> dict[int, str]:
    """What failed, and why."""
    return {case.number: f"{case.came}: {case.why}" for case in cases if case.result is Result.FAILED}


async def test_an_endpoint_that_is_right_passes_all_cases() -> None:
    """22 cases, all of them tried, in their order."""
    async with stand_in() as (one, gateway), endpoint(gateway, None) as url:
        cases = await tried(one, url)
    assert failed(cases) == {}
    assert [case.number for case in cases] == list(range(1, 23))
    assert {case.result for case in cases} == {Result.PASSED}


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
async def test_an_endpoint_that_is_wrong_fails_what_is_about_that(fault: Fault) -> None:
    """And passes the rest, or is not tried where the rest depends on it."""
    async with stand_in() as (one, gateway), endpoint(gateway, fault) as url:
        cases = await tried(one, url)
    assert set(failed(cases)) == FAILS[fault], failed(cases)


def test_every_case_but_the_first_has_an_endpoint_that_fails_it() -> None:
    """Nothing the kit looks for goes unproved; case 1 is failed by whoever takes nothing."""
    assert set().union(*FAILS.values()) == set(range(2, 23))
    assert set(FAILS) == set(Fault)


async def test_an_endpoint_that_takes_nothing_fails_the_first_case() -> None:
    """Nobody listens: every case that must be taken fails, and the kit comes to its end."""
    (port,) = ports.free(1)
    async with stand_in() as (one, _):
        cases = await tried(one, f"http://127.0.0.1:{port}/push")
    assert failed(cases)[1] == "no answer: it must be taken (2xx)"


async def test_the_stand_in_recipient_passes_all_cases(tmp_path: Path) -> None:
    """The recipient of `lgw up` does what is asked of others."""
    (port,) = ports.free(1)
    key = OKPKey.generate_key("Ed25519").as_dict(private=True)
    async with stand_in() as (one, gateway):
        party = PartySettings(
            party="lasars-a",
            client="lasars-a",
            key={name: str(key[name]) for name in ("kty", "crv", "x", "d")},
            books=tmp_path / "books.jsonl",
        )
        started = asyncio.Event()
        playing = asyncio.create_task(play(Settings(gateway=gateway, port=port, parties=(party,)), started))
        await started.wait()
        cases = await tried(one, f"http://127.0.0.1:{port}/lasars-a")
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    assert failed(cases) == {}
    assert {case.result for case in cases} == {Result.PASSED}


def test_the_messages_follow_the_contract() -> None:
    """What the kit sends is what a gateway may send."""
    validator = Draft202012Validator(orjson.loads(SCHEMA.read_bytes()))
    for number in range(20):
        assert not list(validator.iter_errors(referral(Random(number), system_clock())))
