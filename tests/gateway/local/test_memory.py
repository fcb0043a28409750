import sys

import pytest

from gateway.local.memory import proportional

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process shares")


@linux
def test_memory_is_that_of_the_whole_family() -> None:
    """A child's memory counts with ours, and what it shares with us does not count twice."""
    import subprocess

    alone = proportional()
    assert alone is not None
    hungry = "import sys; keep = bytearray(64 << 20); print(len(keep), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hungry], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"67108864\n"
        together = proportional()
        child.communicate()
    assert together is not None
    assert 60 << 20 < together - alone < 96 << 20


def test_a_process_that_has_ended_is_nothing() -> None:
    """Asking after the family of nobody is answered by an exception of psutil's, never by a number."""
    import psutil

    with pytest.raises(psutil.NoSuchProcess):
        proportional(2**22 + 1)
