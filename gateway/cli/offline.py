"""Commands that read files on this computer and need no gateway."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.common import Json, app, console
from gateway.cli.completion import agencies

Agency = Annotated[
    str,
    typer.Option("--as", metavar="AGENCY", help="The agency whose adapter reads the files.", autocompletion=agencies),
]
Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Files, or folders of files.", exists=True)]


@app.command()
def check(
    files: Files,
    agency: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="AGENCY",
            help="The agency whose adapter reads them. Default: who understands.",
            autocompletion=agencies,
        ),
    ] = None,
    as_json: Json = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="PAGE", help="The report as HTML. Default, from 21 records on: beside FILE."),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    write_mapping: Annotated[
        Path | None,
        typer.Option("--write-mapping", metavar="TOML", help="Write the codes that are not mapped, to be filled in."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="TOML", help="Try it with codes mapped so.", exists=True)
    ] = None,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview", help="Show what a LASARS would be told of the first three records; with --json of each."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Say what an agency's adapter makes of files. Nothing leaves this computer; no value is shown."""
    from gateway.offline.check import Wanted
    from gateway.offline.check import check as run
    from gateway.settings import read_settings

    settings = read_settings()
    raise typer.Exit(
        run(
            agency,
            files,
            options=settings.adapters,
            places=settings.places,
            agreements=settings.agreements,
            console=console(),
            received=datetime.now(UTC),
            wanted=Wanted(as_json, report, no_report, mapping, write_mapping, quiet, preview),
        )
    )


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
