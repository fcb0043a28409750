"""Commands that send: what an agency has, and what is invented."""

import asyncio
import json
import random
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import OK, PARTIAL, REFUSED, UNREACHABLE, Json, app, fail, say, say_sentence, say_waiting
from gateway.cli.completion import agencies, kinds
from gateway.cli.signing_in import LOCAL, ClientId, Gateway, Key, Local, identity
from gateway.clock import system_clock
from gateway.errors import ConfigurationError, TurnedAway, Unreachable

if TYPE_CHECKING:
    from gateway.connecting.logbook import Logbook
    from gateway.connecting.sign_in import Identity
    from gateway.connecting.triggers import Triggered

Agency = Annotated[
    str, typer.Option("--as", metavar="AGENCY", help="The agency whose feed this is.", autocompletion=agencies)
]


@app.command()
def send(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record, a batch file, or a folder of them.")],
    agency: Agency,
    data: Local = None,
    gateway: Gateway = None,
    client: ClientId = None,
    key: Key = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a send that was interrupted.")] = False,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to try while the gateway does not answer.", min=0)
    ] = 120.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Send records or a batch file, each of them once.

    A statement of what was sent is laid beside them. Exits 0 if everything was taken, 3 if the gateway was not
    reached, 4 if it refused, 5 if it took a part.
    """
    from adapters.registry import adapters
    from gateway.connecting.logbook import Logbook, Plan
    from gateway.connecting.parcel import new_batch, pack
    from gateway.offline.records import agency_of

    sender = agency_of(adapters(), agency)
    if resume:
        who = identity(gateway, data, client, key, agency)
        logbook = Logbook.resume(Logbook.beside(file))
        _same(logbook, who, agency)
    else:
        batch = new_batch()
        parcels = tuple(pack(sender, [file], batch))
        who = identity(gateway, data, client, key, agency)
        plan = Plan(batch, who.gateway, who.client, agency, system_clock(), parcels)
        logbook = Logbook.begin(Logbook.beside(file), plan)
    code = _sent(logbook, who, patience, quiet)
    if len(logbook.answers) < len(logbook.plan.parcels):
        raise typer.Exit(code)
    _state(logbook, file, as_json)
    raise typer.Exit(_code(logbook))


@app.command()
def trigger(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="A kind of event: custody.charged, ...", autocompletion=kinds)
    ] = None,
    every: Annotated[bool, typer.Option("--list", help="List the kinds, and who tells them.")] = False,
    now: Annotated[bool, typer.Option("--send", help="Send it, as a client of that agency.")] = False,
    data: Local = None,
    gateway: Gateway = None,
    client: ClientId = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Print, or send, a valid message of a kind of event.

    It is about somebody invented, another each time, and as the agency that tells of it writes it.
    """
    from adapters.registry import TRYING, adapters
    from gateway.connecting.triggers import CONTRACTS, UnknownKind, by_kind
    from gateway.connecting.triggers import trigger as make
    from gateway.local.installation import settings_of
    from gateway.settings import read_settings

    local = now and gateway is None
    known = adapters({**TRYING, **(settings_of(data or LOCAL) if local else read_settings()).adapters})
    found = by_kind(known, CONTRACTS, system_clock())
    if every:
        for name in sorted(found):
            one = found[name]
            if as_json:
                say(
                    json.dumps(
                        {"kind": name, "agency": one.agency, "media_type": one.media_type, "example": one.file.name}
                    )
                )
            else:
                say(f"{name:<36} {one.agency:<16} {one.media_type:<24} {one.file.name}")
        return
    if kind is None:
        raise ConfigurationError("No kind is named.", "See which there are with lgw trigger --list.")
    if kind not in found:
        raise UnknownKind(kind, found)
    example = found[kind]
    made = make(known[example.agency], example, random.SystemRandom(), system_clock())
    if not now:
        sys.stdout.buffer.write(made.body)
        sys.stdout.buffer.flush()
        typer.echo(f"{', '.join(made.kinds)}: {made.media_type}, for /v1/feeds/{made.agency}/{made.door}", err=True)
        return
    who = identity(gateway, data, client, key, example.agency)
    raise typer.Exit(asyncio.run(_trigger(made, who, as_json)))


async def _trigger(made: "Triggered", who: "Identity", as_json: bool) -> int:
    """Send one message, and say what the gateway made of it."""
    from gateway.connecting.parcel import new_batch
    from gateway.connecting.retrying import reach
    from gateway.connecting.sending import NotTheirFeed, post, read_answer
    from gateway.connecting.sign_in import open_client

    await reach(who.gateway, say_waiting)
    async with open_client(who) as session:
        path = f"/v1/feeds/{made.agency}/{made.door}"
        posted = await post(session, path, made.media_type, made.body, new_batch())
    if posted.status_code == HTTPStatus.NOT_FOUND:
        raise NotTheirFeed(made.agency)
    answer = read_answer(0, posted)
    if as_json:
        told = {"kinds": made.kinds, "state": answer.state, "receipt": answer.receipt, "rules": answer.rules}
        say(json.dumps({**told, "status": answer.status}))
    else:
        say(f"{', '.join(made.kinds)}  {answer.state}  {answer.receipt or ', '.join(answer.rules)}")
    return OK if answer.status in (200, 202) else REFUSED


def _sent(logbook: "Logbook", who: "Identity", patience: float, quiet: bool) -> int:
    """Send what is left, and close the logbook; the exit code of whatever ended it early."""
    from gateway.connecting.meter import meter
    from gateway.connecting.sending import send_all
    from gateway.connecting.sign_in import open_client

    parcels = logbook.plan.parcels
    go_on = "Nothing is lost and nothing is sent twice: give the same command again, with --resume."

    async def work() -> None:
        with meter("Sending", sum(parcel.size for parcel in parcels), quiet=quiet) as told:
            async with open_client(who, within=600.0) as session:
                await send_all(session, logbook, told, patience=patience)

    code = OK
    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        typer.echo(err=True)
        fail(f"Stopped, with {len(logbook.answers)} of {len(parcels)} answered.", go_on)
        code = PARTIAL
    except Unreachable as error:
        fail(str(error), go_on)
        code = UNREACHABLE
    except TurnedAway as error:
        fail(str(error), error.fix)
        code = REFUSED
    finally:
        # Where the door was shut from the first, there is nothing to go on with.
        logbook.close(done=len(logbook.answers) == len(parcels) or (code == REFUSED and not logbook.answers))
    return code


def _state(logbook: "Logbook", file: Path, as_json: bool) -> None:
    """Say what became of everything, and lay the statement beside the file."""
    from gateway.connecting.statement import statement, totals, write_statement

    told = statement(logbook, system_clock())
    where = write_statement(file, told)
    if as_json:
        say(json.dumps(told))
        return
    if len(logbook.answers) <= 20:
        for number, answer in sorted(logbook.answers.items()):
            rest = answer.receipt or ", ".join(answer.rules)
            say(f"  {logbook.plan.parcels[number].file.name}  {answer.state}  {rest}")
    counts = " · ".join(f"{name} {count:,}" for name, count in totals(logbook.answers).items())
    say(f"Batch {logbook.plan.batch} done: {counts}")
    if any(answer.state == "refused" for answer in logbook.answers.values()):
        say_sentence(f"What to mend in what was refused: lgw check {file} --as {logbook.plan.agency}")
    say(f"Statement {where}  (hash {told['hash'][:8]}…)")


def _code(logbook: "Logbook") -> int:
    from gateway.connecting.statement import totals

    counts = totals(logbook.answers)
    if not counts["refused"]:
        return OK
    return PARTIAL if any(counts[name] for name in ("accepted", "held", "ignored")) else REFUSED


def _same(logbook: "Logbook", who: "Identity", agency: str) -> None:
    """Raises ConfigurationError where an interrupted send would go on as somebody else, or to somewhere else."""
    plan = logbook.plan
    if (plan.gateway, plan.client, plan.agency) != (who.gateway, who.client, agency):
        logbook.close(done=False)
        raise ConfigurationError(
            f"The interrupted send was by {plan.client}, as {plan.agency}, to {plan.gateway}.",
            "Go on as the same, or delete its logbook to send everything anew.",
        )
