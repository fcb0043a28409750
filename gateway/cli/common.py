"""What every command shares: the application, its exit codes, its settings, and how it speaks."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.settings import Settings, read_settings

OK, FINDINGS, USAGE, UNREACHABLE, REFUSED, PARTIAL = range(6)
"""Exit codes."""

app = typer.Typer(
    name="lgw",
    help="The LASARS gateway: connect agencies, follow messages, mend what has stopped.",
    epilog="Exit codes: 0 ok, 1 findings, 2 usage, 3 unreachable, 4 refused, 5 partial.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="The data folder of a system started by lgw up.")
]


def run(work: Callable[[Settings], Coroutine[Any, Any, int]], data: Path | None) -> None:
    """Do a command's work with its settings, and exit with the code it returns."""
    raise typer.Exit(asyncio.run(work(settings_for(data))))


def settings_for(data: Path | None) -> Settings:
    """The settings of this environment, or of the local system in a data folder. Raises ConfigurationError."""
    if data is None:
        return read_settings()
    from gateway.local.installation import settings_of

    return settings_of(data)


def console() -> Console:
    """Where screens are written: 80 columns where nobody sees them."""
    return Console(width=min(Console().width, 100) if sys.stdout.isatty() else 80, highlight=False)


def say(text: str) -> None:
    """Print an answer."""
    typer.echo(text)


def fail(sentence: str, fix: str) -> None:
    """Say on stderr what went wrong and what to do about it."""
    typer.echo(f"{sentence} {fix}", err=True)
