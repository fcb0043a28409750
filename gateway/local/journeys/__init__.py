"""The programme's journeys, one module each, in the order they are played.

Each module says in TITLE what happens, and plays it in `play`: it sends what an agency would send, waits until all is
quiet, and checks what every recipient was told and what the sender may see.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.local.journeys import batch, corrected, down, moved, nobody, prisoner
from gateway.local.scene import Scene


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey, by its number. title: what it is about, in at most 50 characters."""

    number: int
    title: str
    play: Callable[[Scene], Awaitable[None]]


JOURNEYS = tuple(
    Journey(number, module.TITLE, module.play)
    for number, module in enumerate((moved, prisoner, nobody, corrected, down, batch), 1)
)
