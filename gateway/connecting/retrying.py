"""When a request to a gateway is made again, and after how long.

A request that met nobody, or an answer that says "not now", is made again under the same message id: one effect.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Final

import httpx
import stamina

from gateway.delivery.courier import retry_after
from gateway.errors import Unreachable

TIMEOUT: Final = 120.0
"""Seconds after which a gateway that has not answered with more than "not now" counts as unreachable."""

_AGAIN: Final = frozenset({401, 408, 425, 429, 500, 502, 503, 504})
"""401 among them: a token can end while its request is on the way, and the next attempt has a new one."""
_LONGEST: Final = 3600.0
STARTING: Final = 20.0
"""Seconds that a system which is just being started is waited for."""
_TELL_BEFORE: Final = 3
"""The attempt before which who looks on is told: a second or two after the first, where it was refused."""


def again(error: Exception) -> bool | float:
    """Whether to make a request again: False, True after a while, or the seconds that Retry-After asks for."""
    if isinstance(error, httpx.HTTPStatusError):
        if error.response.status_code not in _AGAIN:
            return False
        asked = retry_after(error.response.headers.get("retry-after"), datetime.now(UTC))
        return True if asked is None else min(asked.total_seconds(), _LONGEST)
    return isinstance(error, httpx.TransportError)


def not_now(answer: httpx.Response) -> httpx.Response:
    """An answer that settles something. Raises httpx.HTTPStatusError for one that asks to try again."""
    if answer.status_code in _AGAIN:
        answer.raise_for_status()
    return answer


def attempts(timeout: float = TIMEOUT) -> AsyncIterator[stamina.Attempt]:
    """Attempts at one request, for `async for attempt in attempts(): with attempt: ...`."""
    return stamina.retry_context(on=again, attempts=None, timeout=timeout, wait_initial=0.2, wait_max=15.0)


async def reach(url: str, waiting: Callable[[str], None]) -> None:
    """Wait until somebody listens there, for as long as a start takes. Raises Unreachable, naming the address.

    waiting: told the address, once, where nobody answers at first.
    """
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            async for attempt in attempts(STARTING):
                with attempt:
                    if attempt.num == _TELL_BEFORE:
                        waiting(url)
                    await client.get(url)
    except httpx.HTTPError as error:
        raise Unreachable(type(error).__name__, url) from None


def unreachable(error: httpx.HTTPError) -> Unreachable:
    """What is said once patience is spent. Names the kind of failure, and quotes nothing."""
    if isinstance(error, httpx.HTTPStatusError):
        return Unreachable(f"it answers {error.response.status_code}")
    return Unreachable(type(error).__name__)
