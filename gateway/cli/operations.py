"""Commands of operations: follow a message, see whether all is well, mend what has stopped."""

import json
import uuid
from typing import Annotated, Literal

import typer

from gateway.cli.common import FINDINGS, OK, PARTIAL, Data, Json, app, fail, run, say, say_sentence
from gateway.cli.completion import reasons
from gateway.clock import system_clock
from gateway.errors import ConfigurationError, Unreachable
from gateway.settings import Settings

_WHICH = "Use the receipt the sender was given, or an id that lgw queue shows."


@app.command()
def trace(
    message: Annotated[
        str, typer.Argument(metavar="ID", help="A receipt, or the id of a file, event, delivery or refusal.")
    ],
    sender: Annotated[
        str | None, typer.Option(metavar="PARTY", help="ID is this party's own id of what it sent.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one message's journey, with times and reasons."""
    from gateway.installation import read_installation
    from gateway.operations.trace_message import read_any, read_sent
    from gateway.store.ledger import open_engine

    async def read(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            async with engine.connect() as connection:
                if sender is None:
                    traced = await read_any(connection, _id(message))
                else:
                    own = read_installation(settings)
                    if own.parties.party(sender) is None:
                        raise ConfigurationError(f"There is no party {sender!r}.", f"See {settings.parties}.")
                    traced = await read_sent(connection, own.index, sender, message)
        finally:
            await engine.dispose()
        if traced is None:
            fail("There is no such message.", _WHICH if sender is None else "Is that the id it was sent under?")
            return FINDINGS
        if as_json:
            say(json.dumps(traced.as_json()))
            return OK
        for line in traced.lines():
            say_sentence(line, indent=29)
        return OK

    run(read, data)


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
            say(json.dumps(told.as_json()))
        else:
            for label, sentence in told.lines():
                say_sentence(f"{label + ':':<24}{sentence}", indent=24)
        return FINDINGS if told.ledgers.unaccounted else OK

    run(read, data)


@app.command()
def queue(
    owner: Annotated[
        Literal["operations", "recipient", "sender"] | None,
        typer.Option(metavar="OWNER", help="Only what is for operations, recipient or sender to act on."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help="Only what stopped for this reason.", autocompletion=reasons)
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what has stopped, the most urgent first. Up to 200, with what each reason means and what to do about it."""
    from gateway.operations.queue import SHOWN, explained, stopped
    from gateway.operations.reasons import REASONS
    from gateway.store.ledger import open_engine

    if reason is not None and reason not in REASONS:
        raise ConfigurationError(f"There is no reason {reason!r}.", f"Choose one of: {', '.join(sorted(REASONS))}.")

    async def read(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            async with engine.connect() as connection:
                waiting = await stopped(connection, owner=owner, reason=reason)
        finally:
            await engine.dispose()
        if as_json:
            for one in waiting:
                say(json.dumps(one.as_json()))
            return OK
        for one in waiting:
            for line in one.lines():
                say_sentence(line, indent=4)
        for line in explained(waiting):
            say_sentence(line, indent=2)
        if len(waiting) == SHOWN:
            say_sentence(f"The {SHOWN} most urgent are shown; lgw status counts all that wait.")
        else:
            say(f"{len(waiting)} waiting" if waiting else "Nothing is waiting.")
        return OK

    run(read, data)


@app.command()
def redrive(
    ids: Annotated[list[uuid.UUID], typer.Argument(metavar="ID", help="Ids that lgw queue shows, at most 200.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run again what was held, quarantined or parked. Exits 5 if some of it is still stopped, 1 if all of it is."""
    from gateway.app import open_redrive
    from gateway.operations.redrive import Result

    if len(ids) > 200:
        raise ConfigurationError("At most 200 ids can be run again at a time.", "Name them in several calls.")

    async def work(settings: Settings) -> int:
        async with open_redrive(settings) as again:
            results = await again.run(ids, system_clock())
        for one, result in results.items():
            say(json.dumps({"id": str(one), "result": result.value}) if as_json else f"{one}  {result.value}")
        done = sum(result is Result.DONE for result in results.values())
        return OK if done == len(results) else PARTIAL if done else FINDINGS

    run(work, data)


@app.command()
def series(
    sender: Annotated[str | None, typer.Argument(metavar="SENDER", help="Whose files. Left out: all series.")] = None,
    name: Annotated[str | None, typer.Argument(metavar="SERIES", help="Which of its series, as listed.")] = None,
    expected: Annotated[
        int | None, typer.Option("--next", metavar="N", min=0, help="Expect this number next, whatever came before.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List how far numbered files have come. Or set one series right, when its sender has lost count."""
    from gateway.store import series as statements
    from gateway.store.ledger import open_engine

    if (expected is None) != (sender is None) or (sender is None) != (name is None):
        raise ConfigurationError("Name a sender, a series and --next, or none.", "lgw series lists what there is.")

    async def work(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            async with engine.begin() as connection:
                if sender is None or name is None or expected is None:
                    found = await statements.every(connection)
                else:
                    found = await statements.expect(connection, sender, name, expected)
        finally:
            await engine.dispose()
        if sender is not None and not found:
            fail("There is no such series.", "lgw series lists what there is.")
            return FINDINGS
        for one in found:
            if as_json:
                say(json.dumps({name: _plain(getattr(one, name)) for name in one.__slots__}))
                continue
            last = "none taken yet" if one.last is None else f"last taken {one.last}"
            say(f"{one.sender}  {one.agency}  {one.series}  {last}")
            if one.taking is not None:
                say(f"  begun and not finished: {one.taking}")
        if expected is not None:
            say(f"So it stood. Expected next: {expected}.")
        return OK

    run(work, data)


@app.command()
def rebuild(
    everything: Annotated[
        bool, typer.Option("--everything", help="All the journal has, not only what nobody decided yet.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Publish from the journal what Kafka lost. Creates topics that are missing."""
    from aiokafka.errors import KafkaError

    from gateway.operations.rebuild import rebuild as run_rebuild
    from gateway.parties import load_parties
    from gateway.store.ledger import open_engine

    async def work(settings: Settings) -> int:
        engine = open_engine(settings.store)
        try:
            count = await run_rebuild(
                engine, settings.kafka, load_parties(settings.parties), system_clock(), everything=everything
            )
        except KafkaError as error:
            raise Unreachable(type(error).__name__, f"Kafka at {settings.kafka.bootstrap}") from error
        finally:
            await engine.dispose()
        if as_json:
            say(json.dumps({"events": count}))
        else:
            say(f"{count} events are in line to be published; a running gateway publishes them now.")
        return OK

    run(work, data)


@app.command()
def doctor(data: Data = None, as_json: Json = False) -> None:
    """Look at settings, services, disk and clock. Says what to mend, and exits 1 if something is wrong."""
    from gateway.operations.doctor import examine

    async def work(settings: Settings) -> int:
        well = True
        async for one in examine(settings, system_clock, data or settings.local.data):
            well = well and one.well
            if as_json:
                say(json.dumps({"name": one.name, "well": one.well, "told": one.told, "fix": one.fix}))
                continue
            head = f"{'ok   ' if one.well else 'WRONG'}  {one.name:<12} "
            say_sentence(head + one.told, indent=len(head))
            if one.fix:
                say_sentence(" " * len(head) + one.fix, indent=len(head))
        return OK if well else FINDINGS

    run(work, data)


def _id(told: str) -> uuid.UUID:
    """The id that was told. Raises ConfigurationError for what is none of ours."""
    try:
        return uuid.UUID(told)
    except ValueError:
        fix = f"{_WHICH} With --sender PARTY it may be what that party calls it."
        raise ConfigurationError("That is no id of the gateway's.", fix) from None


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | None) else str(value)
