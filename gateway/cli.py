"""`lgw`, the command: verbs for people, each with `--json` where it answers something.

Exit codes: 0 ok, 1 findings, 2 usage, 3 unreachable, 4 refused, 5 partial.
"""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from gateway import telemetry
from gateway.clock import system_clock
from gateway.errors import ConfigurationError, GatewayError
from gateway.settings import Settings, read_settings

OK, FINDINGS, USAGE, UNREACHABLE, REFUSED, PARTIAL = range(6)

app = typer.Typer(
    name="lgw",
    help="The LASARS gateway: connect agencies, follow messages, mend what has stopped.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="The data folder of a system started by lgw up.")
]
Agency = Annotated[str, typer.Option("--as", metavar="AGENCY", help="The agency whose adapter reads the files.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Files, or folders of files.", exists=True)]


def main() -> None:
    """Run the command, and say every failure in a sentence and a fix."""
    telemetry.configure("lgw", level="ERROR")
    try:
        app()
    except GatewayError as error:
        _fail(str(error), error.fix)
        sys.exit(USAGE if isinstance(error, ConfigurationError) else FINDINGS)
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        _fail(
            f"The gateway's store does not answer ({type(error).__name__}).", "Start it with lgw up, or run lgw doctor."
        )
        sys.exit(UNREACHABLE)


@app.command()
def up(
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Where its data is kept between starts.")] = Path(
        "data/up"
    ),
    brokers: Annotated[
        int, typer.Option(metavar="NUMBER", help="Kafka brokers: 1, or 3 for a cluster.", min=1, max=5)
    ] = 1,
    recipients: Annotated[bool, typer.Option(help="Start stand-in recipients for all eight areas.")] = True,
) -> None:
    """Start the whole system on this machine, until Ctrl-C."""
    from gateway.local.up import up as start

    raise typer.Exit(start(data, brokers=brokers, recipients=recipients, console=_console(), settings=_settings(None)))


@app.command()
def demo(
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Where it keeps its services between runs.")] = Path(
        "data/demo"
    ),
    pause: Annotated[bool, typer.Option(help="Wait for Enter before the accounts are made up.")] = False,
) -> None:
    """Play the programme's journeys and check what everybody got."""
    from gateway.local.demo import demo as play

    raise typer.Exit(play(data, console=_console(), settings=_settings(None), pause=pause))


@app.command()
def token(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="A client, as lgw up lists them: met-police, lasars-kent, ...")
    ],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="The local system's data folder.")] = Path("data/up"),
) -> None:
    """Sign in to a local system, and print the access token."""
    import aiohttp

    from gateway.local.sign_in import sign_in

    try:
        _say(asyncio.run(sign_in(data, client)))
    except aiohttp.ClientError:
        _fail("The local system does not answer, or does not know this client.", f"Start it with lgw up --data {data}.")
        raise typer.Exit(UNREACHABLE) from None


@app.command()
def check(files: Files, agency: Agency, as_json: Json = False) -> None:
    """Say what an agency's adapter makes of files. Nothing leaves this computer; no value is shown."""
    from adapters.registry import adapters
    from gateway.offline.check import check as run

    raise typer.Exit(run(adapters(), agency, files, console=_console(), received=datetime.now(UTC), as_json=as_json))


@app.command()
def translate(files: Files, agency: Agency) -> None:
    """Print the canonical events that files become. One JSON object a line."""
    from adapters.registry import adapters
    from gateway.offline.translate import translate as run

    raise typer.Exit(
        run(
            adapters(),
            agency,
            files,
            console=_console(),
            problems=Console(stderr=True, highlight=False),
            received=datetime.now(UTC),
        )
    )


@app.command()
def trace(
    message: Annotated[uuid.UUID, typer.Argument(metavar="ID", help="A receipt, or the id of an event or delivery.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one message's journey, with times and reasons."""
    from gateway.operations.trace import read_journey
    from gateway.store.ledger import open_engine

    async def read(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            async with engine.connect() as connection:
                journey = await read_journey(connection, message)
        finally:
            await engine.dispose()
        if journey is None:
            _fail("There is no such message.", "Use the receipt the sender was given, or an id that lgw queue shows.")
            return FINDINGS
        _say(json.dumps(journey.as_json()) if as_json else "\n".join(journey.lines()))
        return OK

    _run(read, data)


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Say in a few lines whether all is well. Exits 1 if anything is unaccounted for."""
    from gateway.operations.status import read_status
    from gateway.store.ledger import open_engine

    async def read(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            async with engine.connect() as connection:
                told = await read_status(connection, system_clock())
        finally:
            await engine.dispose()
        if as_json:
            _say(json.dumps(told.as_json()))
        else:
            for label, sentence in told.lines():
                _say(f"{label + ':':<24}{sentence}")
        return FINDINGS if told.ledgers.unaccounted else OK

    _run(read, data)


@app.command()
def queue(
    owner: Annotated[str | None, typer.Option(metavar="OWNER", help="Only what this owner must act on.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="REASON", help="Only what stopped for this reason.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what has stopped and waits for somebody, by urgency."""
    from gateway.operations.queue import stopped
    from gateway.store.ledger import open_engine

    async def read(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            async with engine.connect() as connection:
                waiting = await stopped(connection, owner=owner, reason=reason)
        finally:
            await engine.dispose()
        if as_json:
            for one in waiting:
                _say(json.dumps({name: _plain(getattr(one, name)) for name in one.__slots__}))
            return OK
        for one in waiting:
            due = one.due.strftime("%d %b %H:%M") if one.due else "no due time"
            _say(f"{one.id}  {one.state:<11} {one.owner:<10} due {due}")
            _say(f"  {one.reason}  {one.place}")
        _say(f"{len(waiting)} waiting" if waiting else "Nothing is waiting.")
        return OK

    _run(read, data)


@app.command()
def redrive(
    ids: Annotated[list[uuid.UUID], typer.Argument(metavar="ID", help="Ids that lgw queue shows, at most 200.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run held, quarantined or parked things again after a fix. Exits 5 if some are still stopped."""
    from gateway.app import open_redrive
    from gateway.operations.redrive import Result

    if len(ids) > 200:
        _fail("At most 200 ids at a time.", "Name them in several calls.")
        raise typer.Exit(USAGE)

    async def run(settings: Settings) -> int:
        async with open_redrive(settings) as again:
            results = await again.run(ids, system_clock())
        for one, result in results.items():
            _say(json.dumps({"id": str(one), "result": result.value}) if as_json else f"{one}  {result.value}")
        done = sum(result is Result.DONE for result in results.values())
        return OK if done == len(results) else PARTIAL if done else FINDINGS

    _run(run, data)


@app.command()
def rebuild(
    everything: Annotated[
        bool, typer.Option("--everything", help="All the journal has, not only what nobody decided yet.")
    ] = False,
    data: Data = None,
) -> None:
    """Publish from the journal what Kafka lost. Creates topics that are missing."""
    from gateway.operations.rebuild import rebuild as run_rebuild
    from gateway.parties import load_parties
    from gateway.store.ledger import open_engine

    async def run(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            count = await run_rebuild(
                engine, settings.kafka, load_parties(settings.parties), system_clock(), everything=everything
            )
        finally:
            await engine.dispose()
        _say(f"{count} events are in line to be published; a running gateway publishes them now.")
        return OK

    _run(run, data)


@app.command()
def doctor(data: Data = None, as_json: Json = False) -> None:
    """Look at settings, services, disk and clock; say what to mend. Exits 1 if something is wrong."""
    from gateway.operations.doctor import examine

    async def run(settings: Settings) -> int:
        well = True
        async for one in examine(settings, system_clock, data or settings.local.data):
            well = well and one.well
            if as_json:
                _say(json.dumps({"name": one.name, "well": one.well, "told": one.told, "fix": one.fix}))
                continue
            head = f"{'ok   ' if one.well else 'WRONG'}  {one.name:<12} "
            for text in (one.told, one.fix):
                for line in wrap(text, 80 - len(head), break_long_words=False):
                    _say(head + line)
                    head = " " * len(head)
        return OK if well else FINDINGS

    _run(run, data)


def _run(work: Callable[[Settings], Coroutine[Any, Any, int]], data: Path | None) -> None:
    raise typer.Exit(asyncio.run(work(_settings(data))))


def _settings(data: Path | None) -> Settings:
    """The settings of this environment, or of the local system in a data folder."""
    if data is None:
        return read_settings()
    from gateway.local.installation import settings_of

    return settings_of(data)


def _console() -> Console:
    return Console(width=min(Console().width, 100) if sys.stdout.isatty() else 80, highlight=False)


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | None) else str(value)


def _say(text: str) -> None:
    typer.echo(text)


def _fail(sentence: str, fix: str) -> None:
    typer.echo(f"{sentence} {fix}", err=True)
