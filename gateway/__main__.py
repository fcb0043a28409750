"""`python -m gateway intake` and `python -m gateway dispatch`: the gateway's processes."""

import asyncio
import sys
import threading

import uvloop

from gateway import failpoints, telemetry
from gateway.allocator import share_heaps
from gateway.app import PROCESSES
from gateway.collector import collect_seldom
from gateway.errors import ConfigurationError, GatewayError
from gateway.settings import read_settings


def main(argv: list[str]) -> int:
    """Run one process until it is told to stop. Returns its exit code: 0, 1 for a fault, 2 for a wrong call."""
    if len(argv) != 1 or argv[0] not in PROCESSES:
        print(f"Usage: python -m gateway {{{'|'.join(PROCESSES)}}}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        settings = read_settings()
        failpoints.arm(settings.crash)
    except ConfigurationError as error:
        print(f"{error} {error.fix}", file=sys.stderr)  # noqa: T201
        return 2
    except ValueError as error:
        print(f"A setting is wrong: {error}.", file=sys.stderr)  # noqa: T201
        return 2
    share_heaps()
    telemetry.configure(argv[0], level=settings.log_level)
    sys.unraisablehook = lambda told: _failed("exception.ignored", told.exc_value)
    threading.excepthook = lambda told: _failed("thread.failed", told.exc_value)
    collect_seldom()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(PROCESSES[argv[0]](settings))
    except GatewayError as error:
        print(f"{error} {error.fix}", file=sys.stderr)  # noqa: T201
        return 1
    except Exception as error:
        _failed("process.failed", error)
        return 1
    return 0


def _failed(what: str, error: BaseException | None) -> None:
    """Say what nobody caught, by its type and place: Python itself would print its text, which may quote a value."""
    if error is not None:
        cause = telemetry.first(error)
        telemetry.log.critical(what, error=type(cause).__name__, where=telemetry.where(cause))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
