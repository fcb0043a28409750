"""Real messages and vectors of other people, read in place and never copied.

Where GATEWAY_SAMPLES is set, a missing sample is a failure; where it is not, the tests that need one are skipped.
"""

import os
from pathlib import Path

import pytest

SAMPLES = "GATEWAY_SAMPLES"


def sample(path: str) -> Path:
    """The file or folder of this name under GATEWAY_SAMPLES.

    Skips the running test, or the module that asks while it is collected, where no samples are at hand.
    """
    root = os.environ.get(SAMPLES)
    if not root:
        pytest.skip(f"{SAMPLES} is not set", allow_module_level=True)
    found = Path(root, path)
    if not found.exists():
        pytest.fail(f"{SAMPLES} has no {path}")
    return found
