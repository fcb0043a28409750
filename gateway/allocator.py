"""How much memory the C library keeps for threads that have nothing to do.

glibc gives each thread that allocates a heap of its own (up to eight for a processor), and each keeps the most it ever
held. Our threads read long bodies and files one after the other, and the interpreter lets one of them run at a time: so
many heaps hold the same memory several times over, and nobody is faster for it.
"""

import ctypes
import os
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # glibc: malloc.h
_HEAPS: Final = 2
"""One for the event loop, and one for all threads beside it."""


def share_heaps() -> bool:
    """Have all threads share few heaps; to be called before any is started. Whether it counts.

    MALLOC_ARENA_MAX, if an installation sets it, is left to count; and a C library without such heaps has no need.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, _HEAPS))
