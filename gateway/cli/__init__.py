"""`lgw`, the command: verbs for people, each with `--json` where it answers something.

Exit codes: 0 ok, 1 findings, 2 usage, 3 unreachable, 4 refused, 5 partial. Each family of commands is a module here;
what a command needs is imported when it is called, so that `lgw --help` answers at once.
"""

import sys

from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from gateway import telemetry
from gateway.cli.common import FINDINGS, REFUSED, UNREACHABLE, USAGE, app, fail
from gateway.errors import ConfigurationError, GatewayError, TurnedAway, Unreachable

# Importing a family adds its commands; --help lists them in this order.
# isort: split
from gateway.cli import running

# isort: split
from gateway.cli import offline

# isort: split
from gateway.cli import keys

# isort: split
from gateway.cli import signing_in

# isort: split
from gateway.cli import sending

# isort: split
from gateway.cli import receiving

# isort: split
from gateway.cli import kits

# isort: split
from gateway.cli import agencies

# isort: split
from gateway.cli import operations

__all__ = [
    "agencies",
    "app",
    "keys",
    "kits",
    "main",
    "offline",
    "operations",
    "receiving",
    "running",
    "sending",
    "signing_in",
]

_CODES = {ConfigurationError: USAGE, Unreachable: UNREACHABLE, TurnedAway: REFUSED}


def main() -> None:
    """Run the command, and say every failure in a sentence and a fix."""
    telemetry.configure("lgw", level="ERROR")
    try:
        app()
    except GatewayError as error:
        fail(str(error), error.fix)
        sys.exit(next((code for kind, code in _CODES.items() if isinstance(error, kind)), FINDINGS))
    except ProgrammingError as error:
        fail(
            f"The gateway's store is not as this release knows it ({type(error).__name__}).",
            "Use the lgw of the release that runs there, or start the gateway of this one first.",
        )
        sys.exit(REFUSED)
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        fail(
            f"The gateway's store does not answer ({type(error).__name__}).",
            "Name a system that lgw up started by --data FOLDER; else lgw doctor says what is amiss.",
        )
        sys.exit(UNREACHABLE)
    except OSError as error:
        fail(f"{error.filename or 'A file'} cannot be used ({error.strerror}).", "Check its path, and who may use it.")
        sys.exit(USAGE)
