"""Commands of somebody who connects a system: sign in, send, receive, and see whether both sides do it right."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.common import UNREACHABLE, app, fail, say


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
        say(asyncio.run(sign_in(data, client)))
    except aiohttp.ClientError:
        fail("The local system does not answer, or does not know this client.", f"Start it with lgw up --data {data}.")
        raise typer.Exit(UNREACHABLE) from None
