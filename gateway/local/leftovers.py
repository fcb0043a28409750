"""Processes of an earlier run that outlived it: nobody waits for them, and they hold what we need."""

import signal
from collections.abc import Callable
from contextlib import suppress

import psutil


def end_leftovers(belongs: Callable[[psutil.Process], bool], ask: signal.Signals, patience: float = 5.0) -> None:
    """Stop every process that `belongs` and wait until it is gone: the signal first, SIGKILL after so many seconds.

    `belongs` sees each process with `info` filled (name, cwd, cmdline). Call it only while holding the folder's lock,
    so that nothing which works there can be wanted.
    """
    left = [process for process in psutil.process_iter(["name", "cwd", "cmdline"]) if belongs(process)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(ask)
    _, stubborn = psutil.wait_procs(left, timeout=patience)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience)
