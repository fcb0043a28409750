"""Signing in: the command, and the options of every command that does."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.common import UNREACHABLE, address, app, fail, say
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.connecting.sign_in import Identity

LOCAL: Final = Path("data/up")
"""Where `lgw up` keeps its data unless it is told otherwise."""

Local = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="A local system's data folder, if not data/up.")
]
Gateway = Annotated[
    str | None, typer.Option("--gateway", metavar="URL", help="A gateway's address, if not a local system's.")
]
ClientId = Annotated[str | None, typer.Option("--client", metavar="ID", help="The client to sign in as.")]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Its private key, as lgw keys new wrote it.")]


@app.command()
def token(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="A client, as lgw up lists them: met-police, lasars-kent, ...")
    ],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="The local system's data folder.")] = LOCAL,
) -> None:
    """Sign in to a local system, and print the access token."""
    import aiohttp

    from gateway.local.sign_in import sign_in

    try:
        say(asyncio.run(sign_in(data, client)))
    except aiohttp.ClientError:
        fail("The local system does not answer, or does not know this client.", f"Start it with lgw up --data {data}.")
        raise typer.Exit(UNREACHABLE) from None


def identity(
    gateway: str | None, data: Path | None, client: str | None, key: Path | None, agency: str | None = None
) -> "Identity":
    """Who signs in where: at a gateway by its address, with client and key; else at a local system, with a key of it.

    agency: the feed it sends; in a local system its sender is found by it. Raises ConfigurationError.
    """
    from gateway.connecting.keys import read_key
    from gateway.connecting.sign_in import Identity
    from gateway.local.installation import Installation, settings_of
    from gateway.local.newcomers import senders

    if gateway is not None:
        if client is None or key is None or data is not None:
            raise ConfigurationError(
                "--gateway is signed in to by a client with its key.", "Give --client and --key with it, and no --data."
            )
        return Identity(address(gateway, "--gateway"), client, read_key(key))
    folder = data or LOCAL
    issuer = settings_of(folder).issuer
    if client is None:
        known = senders(folder, agency) if agency else []
        if agency is None:
            raise ConfigurationError("It is not said whose mailbox it is.", "Name its client: --client lasars-kent.")
        if not known:
            raise ConfigurationError(
                f"No client of the system in {folder} sends {agency}.",
                f"Make one: lgw keys new --client NAME --as {agency} --data {folder}.",
            )
        client = known[0]
    return Identity(issuer, client, read_key(key or Installation(folder).key_file(client)))
