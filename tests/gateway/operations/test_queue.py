"""What has stopped says why, whose it is, since when, and what to do."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.addressing.recipients import Waits
from gateway.operations.queue import Stopped, explained
from gateway.operations.reasons import REASONS

SINCE = datetime(2026, 11, 22, 10, 3, tzinfo=UTC)
STATES = (Path(__file__).parents[3] / "docs" / "5-reference" / "states.md").read_text(encoding="utf-8")


def stopped(reason: str) -> Stopped:
    """Something that stopped for this reason."""
    return Stopped(uuid.UUID(int=1), "event", "held", reason, "operations", SINCE, None, "custody.charged for home")


def test_every_reason_is_explained_once() -> None:
    """However many things wait for it; a reason nobody explained yet leaves the others as they are."""
    lines = explained([stopped("no_home_area"), stopped("unheard_of"), stopped("no_lasars"), stopped("no_home_area")])
    assert [line.partition(":")[0] for line in lines] == ["no_home_area", "no_lasars"]
    assert lines[0] == "no_home_area: Home cannot be told. Nothing: it goes by itself once home is known."


def test_one_thing_tells_whose_it_is_and_since_when() -> None:
    """In words and as JSON, which has what to do about it as well."""
    one = stopped("no_lasars")
    assert one.lines() == [
        "00000000-0000-0000-0000-000000000001  held        operations no due time",
        "  no_lasars  custody.charged for home, since 22 Nov 10:03",
    ]
    told = one.as_json()
    assert (told["since"], told["due"], told["mend"]) == (SINCE.isoformat(), None, REASONS["no_lasars"].mend)


def test_what_is_asked_for_again_says_when() -> None:
    """Nobody has to do anything before, so it is not due."""
    again = datetime(2026, 11, 22, 10, 8, tzinfo=UTC)
    one = replace(stopped("source_unavailable"), state="waiting", due=again, again=again, place="npd → probation")
    assert one.lines() == [
        "00000000-0000-0000-0000-000000000001  waiting     operations no due time",
        "  source_unavailable  npd → probation, since 22 Nov 10:03, asked for again at 22 Nov 10:08",
    ]
    assert one.as_json()["again"] == again.isoformat()


def test_every_reason_something_can_be_held_for_says_what_to_do() -> None:
    """The list is that of the documentation, which has all of them."""
    sections = [
        STATES.split(f"\n## {heading}\n")[1].split("\n## ")[0] for heading in ("Why something is held", "Quarantine")
    ]
    rows = [row.split("|")[1] for section in sections for row in section.splitlines() if row.startswith("| `")]
    documented = {reason for row in rows for reason in re.findall(r"`(\w+)`", row)}
    parked = set(re.findall(r"`((?:recipient|body)_\w+)`", STATES))
    assert documented | parked | {"rejected", "parked"} == set(REASONS)
    assert {str(reason) for reason in Waits} <= documented


def test_a_reason_is_told_in_sentences() -> None:
    """What it means and what to do, each ending as a sentence does."""
    for reason in REASONS.values():
        assert re.fullmatch(r"[A-Z].*\.", reason.means)
        assert re.fullmatch(r"[A-Z].*\.", reason.mend)
