"""Processes we start: watched while they run, stopped last first, and never left behind.

A child runs in a session of its own, so that Ctrl-C reaches only us and the order of stopping is ours. On Linux it also
gets its stop signal from the kernel when we die, kill -9 included (see `launch.py`).
"""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self

from gateway.local.errors import ChildDied, ChildNotReady
from gateway.local.logs import last_words, opened

Progress = Callable[[str], None]
"""Told, in a sentence, what is being waited for. Called at least once for anything that takes over a second."""

Ready = Callable[[], bool]
"""Whether a child is ready; asked again and again, so it must answer within about a second."""

LAUNCH = Path(__file__).with_name("launch.py")
READY_FD = "GATEWAY_READY_FD"


def silent(_: str) -> None:
    """Progress nobody reads."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to ask it to stop.

    name: as people call it ("Kafka broker 1"). env: all of its environment; ours if None. user: the number of an
    unprivileged user to run as. patience: seconds between the stop signal and SIGKILL. announces: it writes a line to
    the file descriptor whose number is in GATEWAY_READY_FD once it is ready.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    user: int | None = None
    patience: float = 10.0
    announces: bool = False


class Child:
    """A running program.

    Start it from the main thread: the kernel's "your parent died" means the thread that started it, so a child of any
    other thread is started without that and ends only when it is stopped.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._announced = not program.announces
        env = dict(os.environ if program.env is None else program.env)
        pipe = os.pipe() if program.announces else None
        if pipe is not None:
            env[READY_FD] = str(pipe[1])
            os.set_blocking(pipe[0], False)
        self._pipe = None if pipe is None else pipe[0]
        try:
            with opened(program.log) as log:
                self._log_begins = log.tell()
                self._process = subprocess.Popen(  # noqa: S603 - the caller's own list of arguments
                    launcher(program),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=env,
                    cwd=program.folder,
                    start_new_session=True,
                    pass_fds=() if pipe is None else (pipe[1],),
                )
        finally:
            if pipe is not None:
                os.close(pipe[1])

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def announced(self) -> bool:
        """Whether it has written its line: the `Ready` of a program that announces itself."""
        if self._pipe is not None and not self._announced:
            with suppress(BlockingIOError):
                self._announced = os.read(self._pipe, 1) != b""
        return self._announced

    def check(self) -> None:
        """Raise ChildDied unless it runs."""
        code = self._process.poll()
        if code is not None:
            raise died(self.program, code, self._log_begins)

    def wait_until(self, ready: Ready, within: float = 30.0, progress: Progress = silent) -> None:
        """Return once it is ready; raises ChildDied, or ChildNotReady after `within` seconds."""
        name, log, began, told = self.program.name, self.program.log, time.monotonic(), False
        while not ready():
            self.check()
            waited = time.monotonic() - began
            if waited > within:
                words = last_words(log, self._log_begins)
                raise ChildNotReady(name=name, seconds=round(within), log=log, last_words=words)
            if waited > 1 and not told:
                progress(f"Waiting for {name}")
                told = True
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once, so that several can stop side by side."""
        if self.running:
            self._process.send_signal(self.program.stop_signal)

    def stop(self, patience: float | None = None) -> None:
        """Stop it: the stop signal, its patience, then SIGKILL. Stopping twice is harmless."""
        self.ask_to_stop()
        try:
            self._process.wait(self.program.patience if patience is None else patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
        except KeyboardInterrupt:
            self._process.kill()
            self._process.wait()
            raise
        self._forget()

    def kill(self) -> None:
        """SIGKILL, as a fault would."""
        self._process.kill()
        self._forget()

    def _forget(self) -> None:
        self._process.wait()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


class Service(Protocol):
    """Something else that runs: PostgreSQL or Kafka."""

    def check(self) -> None:
        """Raise LocalError unless it runs."""

    def stop(self) -> None:
        """Stop it."""


class Children:
    """A family of processes and services, stopped last first.

    A context manager. Inside it SIGTERM is Ctrl-C, so that either unwinds whatever is going on; while it stops, one
    more Ctrl-C kills what is left at once.
    """

    def __init__(self, progress: Progress = silent) -> None:
        self._progress = progress
        self._stack = ExitStack()
        self._children: list[Child] = []
        self._services: list[Service] = []
        self._hurry = False
        self._before: list[tuple[signal.Signals, object]] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before.append((number, signal.signal(number, signal.default_int_handler)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, _ in self._before:
            signal.signal(number, self._told_again)
        try:
            self._stack.close()
        finally:
            for number, handler in self._before:
                signal.signal(number, handler)  # type: ignore[arg-type]
            self._before.clear()

    def start(self, program: Program, ready: Ready | None = None, within: float = 30.0) -> Child:
        """Start a program and wait until it is ready: by `ready`, or by its own line if it announces itself."""
        child = Child(program)
        self._children.append(child)
        self._stack.callback(self._stop, child)
        child.wait_until(child.announced if ready is None else ready, within, self._progress)
        return child

    def keep(self, service: Service) -> None:
        """Have something else, an embedded service for one, watched and stopped in its turn."""
        self._services.append(service)
        self._stack.callback(service.stop)

    def stop(self, child: Child) -> None:
        """Stop one before its turn. It is not watched any more."""
        self._children.remove(child)
        child.stop()

    def check(self) -> None:
        """Raise ChildDied if any has ended by itself."""
        for child in (*self._children, *self._services):
            child.check()

    def watch(self, until: Callable[[], bool] = lambda: False, every: float = 0.25) -> None:
        """Wait until something is so, for Ctrl-C or SIGTERM (KeyboardInterrupt), or a child that ends (ChildDied)."""
        while not until():
            self.check()
            time.sleep(every)

    def _stop(self, child: Child) -> None:
        began = time.monotonic()
        child.stop(patience=0 if self._hurry else None)
        if time.monotonic() - began > 1:
            self._progress(f"{child.program.name} has stopped")

    def _told_again(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry = True
        for child in self._children:
            if child.running:
                os.kill(child.pid, signal.SIGKILL)


def run(program: Program, given: str = "") -> None:
    """Run a program to its end, with `given` to read; raises ChildDied unless it ends well."""
    with opened(program.log) as log:
        log_begins = log.tell()
        done = subprocess.run(  # noqa: S603 - the caller's own list of arguments
            launcher(program),
            input=given.encode(),
            stdout=log,
            stderr=subprocess.STDOUT,
            env=program.env,
            cwd=program.folder,
            start_new_session=True,
            check=False,
        )
    if done.returncode != 0:
        raise died(program, done.returncode, log_begins)


def launcher(program: Program) -> tuple[str, ...]:
    """The command that becomes the program (`launch.py`)."""
    dies_with_us = threading.current_thread() is threading.main_thread()
    signal_number = str(program.stop_signal.value if dies_with_us else 0)
    user = "-" if program.user is None else str(program.user)
    return (sys.executable, "-I", "-S", str(LAUNCH), signal_number, str(os.getpid()), user, *program.argv)


def died(program: Program, code: int, log_begins: int) -> ChildDied:
    """What to raise for a program that ended with that code (negative: a signal)."""
    how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    return ChildDied(name=program.name, how=how, log=program.log, last_words=last_words(program.log, log_begins))


def answers(url: str) -> Ready:
    """Ready once that URL answers with a 2xx."""

    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - an address of our own making
                return True
        except (urllib.error.URLError, OSError):
            return False

    return ready
