"""`lgw demo`: the programme's journeys, played on real PostgreSQL and Kafka, and everything accounted for."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp
from rich.console import Console
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.local import memory, ports
from gateway.local.accounts import Accounts, make_up
from gateway.local.arrivals import Writings
from gateway.local.cast import LASARS, NAMES, SENDERS
from gateway.local.children import Children
from gateway.local.command import lgw
from gateway.local.gp_papers import SERVICE
from gateway.local.installation import Installation
from gateway.local.journeys import JOURNEYS, Journey
from gateway.local.journeys.cast import WAKEFIELD
from gateway.local.outcomes import outcomes
from gateway.local.playbill import LEGEND, Row, head, noted, shown
from gateway.local.scene import Scene
from gateway.local.stage import Cast, NotAsExpected, Stage
from gateway.local.steps import Steps
from gateway.local.system import Plan, Ports, System, case_api_options, family, start
from gateway.settings import Settings
from gateway.store.ledger import open_engine
from gateway.telemetry import where

HURRIED: Final = {
    # Movements in prisons settle in a second instead of 45 minutes.
    "intake": {"settle": timedelta(seconds=1)},
    # A recipient that is down is tried again every half second, instead of less and less often over three days.
    "delivery": {"waits": (timedelta(seconds=0.2), timedelta(seconds=0.5)), "circuit": timedelta(seconds=1)},
    # So is a case API that is away.
    "filling": {"waits": (timedelta(seconds=0.5),) * 40},
    # A file in a folder counts as complete once it has lain unchanged for a moment.
    "drop": {"quiet": timedelta(seconds=0.3)},
    "kafka": {"partitions": 4},
}
"""What is other than in earnest, so that nobody has to wait."""

INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Played:
    """A journey that was played, and the rows it has in the table."""

    journey: Journey
    scene: Scene
    rows: Sequence[Row]


def demo(data: Path, *, console: Console, settings: Settings, pause: bool = False) -> int:
    """Play every journey. Returns 0 if all is as expected and accounted for, else 1; 130 when it was interrupted.

    pause: stop before the accounts are made up, until somebody presses Enter. Raises LocalError, ConfigurationError.
    """
    began = time.monotonic()
    steps = Steps(console)
    intake, dispatch, together, alone, agencies, cases = ports.free(6)
    places = Ports(intake, dispatch, together, {WAKEFIELD.id: alone})
    title = f"{len(JOURNEYS)} journeys through the LASARS gateway, on real PostgreSQL and Kafka"
    console.print(Text(title, style="bold"))
    try:
        with family(data, places, steps) as (folder, children):
            changed = HURRIED | {"adapters": _options(folder, cases)}
            system, cast = _begin(
                children, Plan(folder, settings, places, fresh=True, changed=changed), agencies, cases, steps
            )
            played = asyncio.run(_play(system, cast, steps))
            size = memory.proportional()
            if pause:
                _wait(console, data)
            made_up = asyncio.run(_make_up(system))
            stray = _stray(system, played)
    except KeyboardInterrupt:
        return INTERRUPTED
    wrong = [(f"Journey {one.journey.number}", sentence) for one in played for sentence in one.scene.wrong]
    wrong = list(dict.fromkeys(wrong + stray))
    _show(console, played)
    _close(console, sum(one.scene.checks for one in played), wrong, made_up)
    _figures(console, size, time.monotonic() - began)
    console.print(f"Unaccounted for: {made_up.unaccounted}", style="bold")
    return 1 if wrong or made_up.unaccounted else 0


def _options(folder: Path, cases: int) -> dict[str, dict[str, str]]:
    """What is chosen for each agency: the family of movements that settles, the service of ours, the case API."""
    return {
        "prison": {"family": "immediate"},
        "gp": {"lasars_services": SERVICE},
        "probation": case_api_options(Installation(folder), cases),
    }


def _begin(children: Children, plan: Plan, agencies: int, cases: int, steps: Steps) -> tuple[System, Cast]:
    """Start the system and everybody who takes part: the agencies a process, seven recipients one, Wakefield its own.

    agencies, cases: the ports of the agencies' doors and of the case API.
    """
    system = start(children, plan, steps)
    with steps.step("Starting the gateway, the agencies, a case API and eight LASARS"):
        system.start_gateway()
        system.play_recipients(tuple(one for one in LASARS if one is not WAKEFIELD), "Seven LASARS")
        alone = system.play_recipients((WAKEFIELD,), f"LASARS {WAKEFIELD.name}")
        system.play_agencies(SENDERS, agencies)
        system.play_case_api(cases)
        system.wait_until_ready()
    return system, Cast(agencies, cases, {WAKEFIELD.id: alone})


async def _play(system: System, cast: Cast, steps: Steps) -> list[Played]:
    """Play the journeys, one after the other."""
    engine = open_engine(system.settings.store)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            stage = Stage(system, engine, session, cast)
            return [await _journey(journey, stage, engine, steps) for journey in JOURNEYS]
    finally:
        await engine.dispose()


async def _journey(journey: Journey, stage: Stage, engine: AsyncEngine, steps: Steps) -> Played:
    scene = Scene(stage)
    with steps.step(f"Journey {journey.number}: {journey.title}"):
        try:
            await journey.play(scene)
        except NotAsExpected as fault:
            scene.wrong.append(str(fault))
        except (LookupError, ValueError, TimeoutError, aiohttp.ClientError) as fault:
            # An answer of another shape than was expected: the next journey can be played all the same.
            scene.wrong.append(f"it could not be played to its end ({type(fault).__name__} in {where(fault)})")
    async with engine.connect() as connection:
        return Played(journey, scene, await outcomes(connection, scene.sent))


def _wait(console: Console, data: Path) -> None:
    """Let somebody look around, or take something away, before the accounts are made up."""
    console.print()
    console.print("All journeys are played, and everything still runs. Look around, for one with")
    console.print(f"  {lgw()} status --data {data}", soft_wrap=True)
    console.print("Press Enter to make up the accounts.")
    sys.stdin.readline()


async def _make_up(system: System) -> Accounts:
    engine = open_engine(system.settings.store)
    try:
        async with engine.connect() as connection:
            return await make_up(connection, system.own)
    finally:
        await engine.dispose()


def _stray(system: System, played: Sequence[Played]) -> list[tuple[str, str]]:
    """Arrivals that no journey has looked at, each kind at a recipient once."""
    looked_at = {delivery for one in played for delivery in one.scene.claimed}
    stray = Counter(
        (one.recipient, one.kind) for one in Writings(system.own).applied() if one.delivery not in looked_at
    )
    return [
        (NAMES[recipient], f"got {count} {kind} that no journey expected") for (recipient, kind), count in stray.items()
    ]


def _show(console: Console, played: Sequence[Played]) -> None:
    """The table."""
    console.print()
    console.print(Text(head(), style="bold"))
    for one in played:
        console.print()
        title = one.journey.title
        console.print(Text(f"{one.journey.number}  {title[0].upper()}{title[1:]}", style="bold cyan"))
        for line in (*shown(one.rows), *(line for note in one.scene.notes for line in noted(*note))):
            console.print(Text(line))
    console.print()
    for line in LEGEND:
        console.print(Text(line, style="dim"))


def _close(console: Console, checks: int, wrong: Sequence[tuple[str, str]], made_up: Accounts) -> None:
    """What was checked, and what was not as it should be."""
    console.print()
    if not wrong:
        console.print(f"As expected: all of {checks} checks")
    else:
        console.print(Text(f"Not as expected, of {checks} checks:", style="bold red"))
    for label, sentence in wrong:
        for line in noted(f"  {label}: ", f"{sentence}."):
            console.print(Text(line, style="red"))
    ledgers = made_up.ledgers
    console.print(
        f"Ledgers: {sum(ledgers.records.values())} records, {sum(ledgers.events.values())} events, "
        f"{sum(ledgers.deliveries.values())} deliveries; {ledgers.in_flight} in flight"
    )
    for sentence in made_up.sentences():
        console.print(Text(f"  {sentence}", style="red"))


def _figures(console: Console, size: int | None, took: float) -> None:
    told = f"Memory of all processes: {size / 2**20:,.0f} MiB (PSS)   " if size is not None else ""
    console.print(f"{told}Time: {took:.1f} s")
