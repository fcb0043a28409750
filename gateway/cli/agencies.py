"""Commands for who adds an agency to a checkout of the gateway."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.common import FINDINGS, app, fail, say


@app.command("new-agency")
def new_agency(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: small letters and underscores.")],
    series: Annotated[
        str | None,
        typer.Option("--series", metavar="LETTERS", help="What its rule ids begin with. Default: of its name."),
    ] = None,
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="The checkout.", file_okay=False)] = Path(),
) -> None:
    """Make the files of a new agency. Adapter, contract, examples, agreement and tests, from the template."""
    from gateway.connecting.new_agency import plan

    agency = plan(into, name, series)
    agency.write(into)
    # A Python of its own reads the registry as it now is.
    listed = subprocess.run([sys.executable, "-m", "adapters.rulebook"], cwd=into, capture_output=True, check=False)
    for path in [*agency.files, *agency.changed]:
        say(f"{'changed' if path in agency.changed else 'made':<9}{path}")
    say(
        f"""
It works as it stands, with the template's own records. Now make it {name}'s:
  1  contracts/inbound/{name}/examples   their messages, with invented people: accepted, held, ignored, refused
  2  adapters/{name}/wire.py             their fields, spelled as they spell them
  3  adapters/{name}/codes.py            their codes, and our meanings
  4  adapters/{name}/adapter.py          what a record tells: translate
  5  adapters/{name}/README.md           six headings; without them the conformance suite fails by name
  6  contracts/inbound/{name}/README.md, record.schema.json, and the agreement: nothing is told before its day
  7  tests/adapters/mutations/tables/{name}.toml
Try it:  lgw check contracts/inbound/{name}/examples --as {name}
         make check
         make test ARGS="tests/adapters -k {name}"
"""
    )
    if listed.returncode != 0:
        fail("The list of rules could not be written.", "Run python -m adapters.rulebook.")
        raise typer.Exit(FINDINGS)
