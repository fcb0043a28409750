"""Commands that run a system on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.common import app, console, settings_for


@app.command()
def up(
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Where its data is kept between starts.")] = Path(
        "data/up"
    ),
    brokers: Annotated[
        int, typer.Option(metavar="NUMBER", help="How many Kafka brokers: 1, or 3 to 5 for a cluster.", min=1, max=5)
    ] = 1,
    recipients: Annotated[bool, typer.Option(help="Start stand-in recipients for all eight areas.")] = True,
) -> None:
    """Start the whole system on this machine, until Ctrl-C."""
    from gateway.local.up import up as start

    raise typer.Exit(
        start(data, brokers=brokers, recipients=recipients, console=console(), settings=settings_for(None))
    )


@app.command()
def demo(
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Where it keeps its services between runs.")] = Path(
        "data/demo"
    ),
    pause: Annotated[bool, typer.Option(help="Wait for Enter before the accounts are made up.")] = False,
) -> None:
    """Play the programme's journeys, and check the outcome."""
    from gateway.local.demo import demo as play

    raise typer.Exit(play(data, console=console(), settings=settings_for(None), pause=pause))
