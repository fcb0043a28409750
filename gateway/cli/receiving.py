"""Commands of somebody who receives: bring a mailbox to a local system, and see why a signature does not verify."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import FINDINGS, OK, UNREACHABLE, Json, address, app, fail, say, say_waiting
from gateway.cli.signing_in import ClientId, Gateway, Key, Local, identity
from gateway.clock import system_clock
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.connecting.sign_in import Identity


@app.command()
def listen(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="Where to post each message: http://localhost:...")],
    data: Local = None,
    gateway: Gateway = None,
    client: ClientId = None,
    key: Key = None,
    cursor: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it keeps its place, if not CLIENT.cursor.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--count", metavar="NUMBER", help="End after so many messages.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring my mailbox to a local URL. Message by message as they come, until Ctrl-C."""
    who = identity(gateway, data, client, key)
    try:
        raise typer.Exit(
            asyncio.run(_listen(who, address(to, "--to"), cursor or Path(f"{who.client}.cursor"), most, as_json))
        )
    except KeyboardInterrupt:
        raise typer.Exit(OK) from None


@app.command("verify-signature")
def verify_signature(
    request: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Headers, an empty line and the body, as they came; - is what you paste."),
    ] = None,
    headers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The headers, in a file of their own.", exists=True)
    ] = None,
    body: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The body, in a file of its own.", exists=True)
    ] = None,
    key: Annotated[list[str] | None, typer.Option(metavar="KEY", help="A key you verify with: whpk_...")] = None,
    gateway: Annotated[
        str | None, typer.Option("--gateway", metavar="URL", help="The gateway that sent it, to ask for its keys.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether a signature verifies. If it does not, which part differs from what was signed."""
    from gateway.connecting.diagnosis import diagnose
    from gateway.connecting.raw_request import read_headers, read_request

    if headers is not None and body is not None:
        found, content = read_headers(headers.read_bytes()), body.read_bytes()
    elif headers is None and body is None:
        pasted = request is None or str(request) == "-"
        found, content = read_request(sys.stdin.buffer.read() if pasted or request is None else request.read_bytes())
    else:
        raise ConfigurationError("--headers and --body belong together.", "Give both, or one file that has both.")
    served = _keys(address(gateway, "--gateway")) if gateway is not None else []
    if not key and not served:
        raise ConfigurationError("No key to verify with is named.", "Give --key, or --gateway to ask for its keys.")
    try:
        told = diagnose(key or served, found, content, system_clock(), served)
    except ValueError:
        raise ConfigurationError("A key is none: each is whpk_ and 32 bytes in base64.", "Copy it again.") from None
    if as_json:
        say(json.dumps({"part": told.part.value, "sentence": told.sentence, "fix": told.fix}))
    else:
        say(told.sentence)
        if told.fix:
            say(told.fix)
    raise typer.Exit(OK if told.good else FINDINGS)


async def _listen(who: "Identity", to: str, cursor: Path, most: int | None, as_json: bool) -> int:
    import httpx

    from gateway.connecting.listening import Cursor, listen
    from gateway.connecting.retrying import reach
    from gateway.connecting.sign_in import open_client

    def again(message: str, why: str) -> None:
        fail(f"{to} {why}.", f"{message} is posted again until it is taken.")

    place, count = Cursor(cursor), 0
    await reach(who.gateway, say_waiting)
    async with open_client(who) as gateway, httpx.AsyncClient(timeout=15.0, trust_env=False) as local:
        async for one in listen(gateway, local, to, place, again=again):
            if as_json:
                say(json.dumps({"id": one.id, "kind": one.kind, "status": one.status}))
            else:
                say(f"{one.id}  {one.kind:<34} {one.status or 'withdrawn'}")
            count += 1
            if count == most:
                break
    return OK


def _keys(gateway: str) -> list[str]:
    import httpx

    try:
        told = httpx.get(f"{gateway}/v1/keys", timeout=10.0, trust_env=False).raise_for_status().json()
        return [str(one) for one in told["keys"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        fail(f"The gateway's keys cannot be had ({type(error).__name__}).", "Is its address right, and does it run?")
        raise typer.Exit(UNREACHABLE) from None
