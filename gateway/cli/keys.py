"""Commands about a client's own keys."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.cli.common import Json, app, say
from gateway.cli.completion import agencies
from gateway.clock import system_clock
from gateway.errors import ConfigurationError

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make the key pair a client signs in with.")
app.add_typer(keys, name="keys")


@keys.command()
def new(
    client: Annotated[str, typer.Option(metavar="ID", help="The client the key is for: my-force, ...")],
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write the private key, if not ID.key.json.")
    ] = None,
    algorithm: Annotated[
        Literal["Ed25519", "ES256"], typer.Option(metavar="NAME", help="What it signs by: Ed25519 or ES256.")
    ] = "Ed25519",
    days: Annotated[int, typer.Option(metavar="NUMBER", help="How long the key serves.", min=1, max=1100)] = 365,
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Register it in the local system of this folder.")
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="AGENCY", help="With --data: the feed this client will send.", autocompletion=agencies
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key pair on this computer. The private key goes into a file and is never shown; the public one is."""
    from adapters.registry import adapters
    from gateway.connecting.keys import new_key, public_half, write_key
    from gateway.local.installation import Installation
    from gateway.local.newcomers import register
    from gateway.offline.records import agency_of

    if (data is None) != (agency is None):
        raise ConfigurationError(
            "--data and --as belong together.", "Give both to register the key in a local system, or neither."
        )
    if agency is not None:
        agency_of(adapters(), agency)
    ends = system_clock() + timedelta(days=days)
    made = new_key(client, algorithm, ends)
    file = key or (Installation(data).key_file(client) if data else Path(f"{client}.key.json"))
    if file.exists():
        write_key(file, made)  # says that it is there
    if data is not None and agency is not None:
        register(data, client, agency, made)
    write_key(file, made)
    if as_json:
        say(json.dumps({"file": str(file), "ends": ends.isoformat(), "public": public_half(made)}))
        return
    say(f"Private key   {file}   (readable by you alone; it never leaves this computer)")
    say(f"Key id        {made['kid']}")
    say(f"Serves until  {ends:%d %B %Y}")
    if data is not None:
        say(f"Registered    in {data}, as a sender of {agency}")
        if Installation(data).parties.exists():
            say("              A system that runs lets it in within seconds")
        else:
            say(f"              There is no system yet: lgw up --data {data} starts one")
    else:
        say("Public key    for whoever runs the gateway, to register under your client id:")
        say(json.dumps(public_half(made)))
