"""How often the interpreter looks for objects that hold each other, in the processes messages pass through."""

import gc
from typing import Final

_YOUNG: Final = 50_000
"""Objects made before the collector looks: a batch makes thousands, and hardly any of them in cycles."""


def collect_seldom() -> None:
    """Keep what was loaded out of every collection, and collect seldom; to be called once all is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
