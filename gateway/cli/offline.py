"""Commands that read files on this computer and need no gateway."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.common import Json, app, console

Agency = Annotated[str, typer.Option("--as", metavar="AGENCY", help="The agency whose adapter reads the files.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Files, or folders of files.", exists=True)]


@app.command()
def check(files: Files, agency: Agency, as_json: Json = False) -> None:
    """Say what an agency's adapter makes of files. Nothing leaves this computer; no value is shown."""
    from adapters.registry import adapters
    from gateway.offline.check import check as run
    from gateway.settings import read_settings

    chosen = adapters(read_settings().adapters)
    raise typer.Exit(run(chosen, agency, files, console=console(), received=datetime.now(UTC), as_json=as_json))


@app.command()
def translate(files: Files, agency: Agency) -> None:
    """Print the canonical events that files become. One JSON object a line."""
    from adapters.registry import adapters
    from gateway.offline.translate import translate as run
    from gateway.settings import read_settings

    raise typer.Exit(
        run(
            adapters(read_settings().adapters),
            agency,
            files,
            console=console(),
            problems=Console(stderr=True, highlight=False),
            received=datetime.now(UTC),
        )
    )
