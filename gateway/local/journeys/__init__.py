"""The programme's journeys, one module each, in the order they are played.

Each module says in TITLE what happens, and plays it in `play`: it sends what an agency would send, waits until all is
quiet, and checks what every recipient was told and what the sender may see.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.local.journeys import (
    asked,
    batch,
    benefits,
    corrected,
    down,
    letter,
    moved,
    moved_house,
    nobody,
    order,
    prisoner,
)
from gateway.local.scene import Scene


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey, by its number. title: what it is about, in at most 50 characters."""

    number: int
    title: str
    play: Callable[[Scene], Awaitable[None]]


JOURNEYS = tuple(
    Journey(number, module.TITLE, module.play)
    for number, module in enumerate(
        (letter, asked, moved, prisoner, order, moved_house, benefits, nobody, corrected, down, batch), 1
    )
)
