"""Commands that try a whole connection: a feed against a gateway, and a recipient against what a gateway does."""

import asyncio
import base64
import json
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.common import FINDINGS, OK, Json, address, app, say, say_sentence, say_waiting
from gateway.cli.completion import agencies
from gateway.cli.signing_in import LOCAL, ClientId, Gateway, Key, Local, identity
from gateway.clock import system_clock
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.base import Adapter
    from gateway.connecting.access_cases import Keys
    from gateway.connecting.case import Case
    from gateway.connecting.report_page import Report
    from gateway.connecting.sign_in import Identity
    from gateway.sealing import Signer

_KIT_KEY_DAYS: Final = 365

Stem = Annotated[Path | None, typer.Option("--report", metavar="NAME", help="Where to write NAME.html and NAME.json.")]


@app.command()
def conform(
    agency: Annotated[
        str, typer.Argument(metavar="AGENCY", help="The agency whose feed is tried.", autocompletion=agencies)
    ],
    data: Local = None,
    gateway: Gateway = None,
    client: ClientId = None,
    key: Key = None,
    expired: Annotated[
        Path | None, typer.Option("--expired-key", metavar="FILE", help="A registered key past its end.")
    ] = None,
    following: Annotated[
        Path | None, typer.Option("--next-key", metavar="FILE", help="The registered key you change to.")
    ] = None,
    report: Stem = None,
    as_json: Json = False,
) -> None:
    """Try the 24 cases a feed must pass. Against a running gateway, with invented people; exits 1 if one fails.

    It sends records, so try it on a gateway that is there for trying.
    """
    from adapters.registry import adapters
    from gateway.connecting.access_cases import Keys
    from gateway.connecting.keys import read_key
    from gateway.local.installation import settings_of
    from gateway.offline.records import agency_of
    from gateway.settings import read_settings

    settings = settings_of(data or LOCAL) if gateway is None else read_settings()
    known = adapters(settings.adapters)
    agency_of(known, agency)
    who = identity(gateway, data, client, key, agency)
    keys = Keys(read_key(expired) if expired else None, read_key(following) if following else None)
    told = asyncio.run(_conform(known[agency], who, keys, as_json))
    _close(told, report or Path(f"conformance-{agency}"), as_json)


@app.command("recipient-kit")
def recipient_kit(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The endpoint that takes pushes.")],
    serve: Annotated[
        str, typer.Option("--serve", metavar="HOST:PORT", help="Where the kit's stand-in gateway listens.")
    ] = "127.0.0.1:8090",
    key: Annotated[
        Path, typer.Option(metavar="FILE", help="The key the kit signs with; made where there is none.")
    ] = Path("recipient-kit.key.json"),
    fast: Annotated[bool, typer.Option("--fast", help="Shorten the waits, for a first try.")] = False,
    report: Stem = None,
    as_json: Json = False,
) -> None:
    """Try the 22 cases a recipient's endpoint must pass. Exits 1 if one fails.

    Point your system at the stand-in gateway first: it serves the keys to verify with, and takes receipts.
    """
    signer = _kit_signer(key)
    host, _, port = serve.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError("--serve takes a host and a port.", "Write it as 127.0.0.1:8090.")
    try:
        told = asyncio.run(_recipient_kit(address(to, "--to"), host, int(port), signer, fast, as_json))
    except OSError as error:
        raise ConfigurationError(
            f"The kit cannot listen at {serve} ({os.strerror(error.errno or 0)}).", "Name another place with --serve."
        ) from None
    _close(told, report or Path("recipient-kit"), as_json)


async def _conform(adapter: "Adapter", who: "Identity", keys: "Keys", quiet: bool) -> "Report":
    from importlib.metadata import version

    from gateway.connecting.case import try_all
    from gateway.connecting.conformance import cases
    from gateway.connecting.feed import Feed
    from gateway.connecting.report_page import Report
    from gateway.connecting.retrying import reach
    from gateway.connecting.sign_in import open_client
    from gateway.connecting.triggers import CONTRACTS

    await reach(who.gateway, say_waiting)
    async with open_client(who) as session:
        feed = Feed(session, adapter, CONTRACTS, random.SystemRandom(), system_clock)
        tried = await try_all(cases(feed, who, keys, system_clock), _teller(quiet))
    about = {
        "feed": adapter.name,
        "client": who.client,
        "gateway": who.gateway,
        "adapter and contract": f"lasars-gateway {version('lasars-gateway')}",
    }
    return Report(f"Conformance of {adapter.name}", about, system_clock(), tried)


async def _recipient_kit(to: str, host: str, port: int, signer: "Signer", fast: bool, quiet: bool) -> "Report":
    import httpx

    from gateway.connecting.case import try_all
    from gateway.connecting.pushing import Pusher
    from gateway.connecting.recipient_kit import DEPENDED_ON, Pace, RecipientKit
    from gateway.connecting.report_page import Report
    from gateway.connecting.retrying import reach
    from gateway.connecting.stand_in import StandIn
    from gateway.delivery.signing import write_key as tell_key

    pace = Pace(slow=1.0, late=1.0, within=5.0, quiet=0.5) if fast else Pace()
    stand_in = StandIn(signer, system_clock)
    async with stand_in.serving(host, port) as url:
        if not quiet:
            say(f"The kit's stand-in gateway listens at {url}, and signs with {tell_key(signer.public_keys()[0])}")
        await reach(to, say_waiting)
        async with httpx.AsyncClient(timeout=pace.within, trust_env=False) as client:
            push = Pusher(client, to, signer, stand_in, system_clock, random.SystemRandom())
            tried = await try_all(RecipientKit(push, stand_in, pace).cases(), _teller(quiet), first=DEPENDED_ON)
    about = {"endpoint": to, "waits": "shortened" if fast else "as the gateway's own"}
    return Report("Recipient kit", about, system_clock(), tried)


def _kit_signer(file: Path) -> "Signer":
    """Who signs what the kit sends: the same in every run, so that an endpoint can be told the key once."""
    from gateway.connecting.keys import new_key, read_key, write_key
    from gateway.sealing import Signer

    if not file.exists():
        write_key(file, new_key("recipient-kit", "Ed25519", system_clock() + timedelta(days=_KIT_KEY_DAYS)))
    told = read_key(file)
    if told["kty"] != "OKP":
        raise ConfigurationError(f"The kit signs with Ed25519, and {file} holds another key.", "Name another file.")
    return Signer((base64.urlsafe_b64decode(told["d"] + "=="),))


def _teller(quiet: bool) -> "Callable[[Case], None]":
    return (lambda _: None) if quiet else (lambda case: say_sentence(case.line(), indent=41))


def _close(told: "Report", stem: Path, as_json: bool) -> None:
    """Write the report, say how it ended, and exit."""
    from gateway.connecting.case import Result, count

    page, _ = told.write(stem)
    if as_json:
        say(json.dumps(told.as_json()))
    else:
        words = (("passed", Result.PASSED), ("failed", Result.FAILED), ("not tried", Result.NOT_TRIED))
        say(" · ".join(f"{count(told.cases, result)} {word}" for word, result in words))
        say(f"Report {page}  (no personal value inside)")
    raise typer.Exit(OK if told.passed else FINDINGS)
