"""Threads share the memory that the C library keeps for them."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="heaps for threads are those of glibc")

_HEAPS = """
import ctypes, sys, threading
from gateway.allocator import share_heaps

print(share_heaps() if sys.argv[1] == "shared" else None, flush=True)
together = threading.Barrier(6)

def work():
    kept = bytearray(50_000)
    together.wait()
    return kept

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def run(how: str, **environment: str) -> tuple[str, int]:
    """What `share_heaps` says in a process of its own, and how many heaps six threads then have."""
    env = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | environment
    done = subprocess.run([sys.executable, "-c", _HEAPS, how], env=env, capture_output=True, text=True, check=True)
    return done.stdout.partition("\n")[0], done.stdout.count("<heap nr=")


def test_many_threads_share_two_heaps() -> None:
    """As many threads as there may be hold no more than two heaps; left alone they would."""
    assert run("shared") == ("True", 2)
    assert run("left alone")[1] > 2


def test_what_an_installation_chose_counts() -> None:
    """MALLOC_ARENA_MAX is not overruled."""
    assert run("shared", MALLOC_ARENA_MAX="3") == ("False", 3)
