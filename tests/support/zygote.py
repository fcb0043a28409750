"""A process that has imported the gateway already, and forks one whenever a test needs one started.

Importing costs more than everything else a start does; a crash matrix starts a hundred processes. What is forked is the
gateway's own `main` in a process of its own, with its own environment, log and session; it dies with the zygote, and
the zygote with the test run.

The zygote reads a line of JSON for each process to start, and writes one when it was started and one when it ended.
"""

import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.local.children import Program, died
from tests.support.broken import MODULE

ROOT = Path(__file__).parents[2]
PR_SET_PDEATHSIG = 1


class ZygoteEnded(Exception):
    """The zygote has ended by itself; what it said last is on the test run's standard error."""


class Zygote:
    """The test's side of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
            start_new_session=True,
        )
        self._ended: dict[int, int] = {}
        self._rest = b""
        self._started: list[int] = []

    def fork(self, program: Program) -> "Forked":
        """Start a program that is `python -m MODULE ARGUMENT...`, with a `main` that takes the arguments."""
        program.log.parent.mkdir(parents=True, exist_ok=True)
        assert self._process.stdin is not None
        told = {
            "module": program.argv[2],
            "argv": program.argv[3:],
            "env": dict(program.env or os.environ),
            "log": str(program.log),
        }
        log_begins = program.log.stat().st_size if program.log.exists() else 0
        try:
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ZygoteEnded from None
        while not self._started:
            self._listen(60.0)
        return Forked(self, program, self._started.pop(), log_begins)

    def code(self, pid: int, wait: float = 0.0) -> int | None:
        """How a process ended (negative: the signal), or None while it runs."""
        until = time.monotonic() + wait
        self._listen(0.0)
        while pid not in self._ended and (left := until - time.monotonic()) > 0:
            self._listen(left)
        return self._ended.get(pid)

    def end(self) -> None:
        """End it and whatever it has forked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _listen(self, wait: float) -> None:
        """Take in what the zygote says within that time."""
        assert self._process.stdout is not None
        number = self._process.stdout.fileno()
        while select.select([number], [], [], wait)[0]:
            said = os.read(number, 1 << 16)
            if not said:
                raise ZygoteEnded
            *lines, self._rest = (self._rest + said).split(b"\n")
            for line in lines:
                told = json.loads(line)
                if "started" in told:
                    self._ended.pop(told["started"], None)  # the number may have been another's, long ago
                    self._started.append(told["started"])
                else:
                    self._ended[told["ended"]] = told["code"]
            wait = 0.0


class Forked:
    """One process, with as much of `Child` as tests use."""

    def __init__(self, zygote: Zygote, program: Program, pid: int, log_begins: int) -> None:
        self.program = program
        self.pid = pid
        self._zygote = zygote
        self._log_begins = log_begins

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._zygote.code(self.pid) is None

    def check(self) -> None:
        """Raise ChildDied unless it runs."""
        code = self._zygote.code(self.pid)
        if code is not None:
            raise died(self.program, code, self._log_begins)

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self.running:
            os.kill(self.pid, self.program.stop_signal)

    def stop(self) -> None:
        """Stop it: the stop signal, its patience, then SIGKILL."""
        self.ask_to_stop()
        if self._zygote.code(self.pid, self.program.patience) is None:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a fault would."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
            self._zygote.code(self.pid, 10.0)


def main() -> None:
    """Fork what is asked for, until nobody asks any more."""
    import gateway.__main__
    import tests.support.broken
    import tests.support.traced

    mains = {
        "gateway": gateway.__main__.main,
        MODULE: tests.support.broken.main,
        tests.support.traced.MODULE: tests.support.traced.main,
    }
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        told = json.loads(line)
        # Nothing may be said of its end before it was said that it began.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            _become(told)
            code = 70
            try:
                code = mains[told["module"]](told["argv"])
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _say({"started": pid})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _become(told: dict[str, Any]) -> None:
    """Be a process of one's own: session, environment, log, and no longer than the zygote."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(number, target)
    os.environ.clear()
    os.environ.update(told["env"])


def _reap(_number: int, _frame: object) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(told: dict[str, int]) -> None:
    os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main()
