"""What every command shares: the application, its exit codes, its settings, and how it speaks."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any, TextIO
from urllib.parse import urlsplit

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import ConfigurationError, Unreachable
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


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lasars-gateway {version('lasars-gateway')}")
        raise typer.Exit


@app.callback()
def lgw(
    release: Annotated[
        bool, typer.Option("--version", help="Say which release this is.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """What is asked of no command in particular."""


def run(work: Callable[[Settings], Coroutine[Any, Any, int]], data: Path | None) -> None:
    """Do a command's work with its settings, and exit with the code it returns.

    Raises Unreachable where it is the work of a local system that does not run.
    """
    from gateway.local.folder import is_claimed

    settings = settings_for(data)
    try:
        code = asyncio.run(work(settings))
    except (SQLAlchemyError, Unreachable, OSError) as error:
        if data is None or is_claimed(data):
            raise
        stopped = Unreachable("it does not run", f"The local system in {data}")
        stopped.fix = f"Start it with lgw up --data {data}."
        raise stopped from error
    raise typer.Exit(code)


def settings_for(data: Path | None) -> Settings:
    """The settings of this environment, or of the local system in a data folder. Raises ConfigurationError."""
    if data is None:
        return read_settings()
    from gateway.local.installation import settings_of

    return settings_of(data)


def console() -> Console:
    """Where screens are written: 80 columns where nobody sees them."""
    return Console(width=min(Console().width, 100) if sys.stdout.isatty() else 80, highlight=False)


def address(url: str, option: str) -> str:
    """An address given to an option, without a slash at its end. Raises ConfigurationError where it is none."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(f"{option} takes an address, and {url!r} is none.", "Write it as https://host/path.")
    return url.rstrip("/")


def say(text: str) -> None:
    """Print an answer as it is: for programs, and for what is copied."""
    typer.echo(text)


def say_sentence(text: str, *, indent: int = 0) -> None:
    """Print a line of an answer; where it is wider than the terminal, the lines after its first stand this far in."""
    typer.echo(_fitted(text, sys.stdout, indent))


def fail(sentence: str, fix: str) -> None:
    """Say on stderr what went wrong and what to do about it."""
    typer.echo(_fitted(f"{sentence} {fix}".strip(), sys.stderr, 0), err=True)


def say_waiting(url: str) -> None:
    """Say on stderr that nobody answers there yet, and that it is tried again."""
    typer.echo(_fitted(f"No answer from {url} yet; trying again for a while.", sys.stderr, 0), err=True)


def _fitted(text: str, stream: TextIO, indent: int) -> str:
    """The text, broken between words to the terminal's width; as one line where no terminal shows it."""
    if not stream.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, indent + 20)
    return fill(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
