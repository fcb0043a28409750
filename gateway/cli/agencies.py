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
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="The checkout.", file_okay=False)] = Path(),
) -> None:
    """Make the files of a new agency. Adapter, contract, examples, agreement and tests, from the template."""
    from gateway.connecting.new_agency import GENERATED, plan

    agency = plan(into, name)
    agency.write(into)
    stale = [module for module in GENERATED if not _run(module, into)]
    written = [path for module, path in GENERATED.items() if module not in stale]
    for word, paths in (("made", agency.files), ("changed", (*agency.changed, *written))):
        for path in paths:
            say(f"{word:<9}{path}")
    say(
        f"""
It works as it stands, with the template's own records. Now make it {name}'s, in this order:
  1  contracts/inbound/{name}/examples   their messages, with invented people: accepted, held, ignored, refused
  2  adapters/{name}/wire.py             their fields, spelled as they spell them
  3  adapters/{name}/codes.py            their codes, and our meanings
  4  adapters/{name}/adapter.py          what a record tells (tell), and the names of their records (FEED)
  5  adapters/{name}/README.md           six headings, fifteen words or more under each
  6  contracts/inbound/{name}/README.md  what you promise to take: a line for each field
  7  {agency.agreement}
                                         still the template's; nothing is told before its day, in_force
  8  tests/adapters/{name}, tests/adapters/mutations/tables/{name}.toml
                                         what a record tells; what becomes of each field that is missing or wrong
  9  {agency.fragment}
                                         still the template's; then python -m tests.docs.reference
Try it:  lgw check contracts/inbound/{name}/examples --as {name}
         make check
         make test ARGS="tests/adapters -k {name}"
How it is done, step by step: docs/3-tasks/connect-an-agency.md
"""
    )
    if stale:
        fail(
            "What is read from the code could not be written again.",
            " ".join(f"Run python -m {module}." for module in stale),
        )
        raise typer.Exit(FINDINGS)


def _run(module: str, checkout: Path) -> bool:
    """Whether a module of the checkout ran to its end. A Python of its own reads the registry as it now is."""
    words = [sys.executable, "-m", module]
    done = subprocess.run(words, cwd=checkout, capture_output=True, check=False)  # noqa: S603 - a module of ours
    return done.returncode == 0
