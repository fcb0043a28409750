"""What journeys share."""

from collections.abc import Iterator

import pytest

from tests.support.zygote import Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Forks the gateway's processes, where many are started."""
    one = Zygote()
    yield one
    one.end()
