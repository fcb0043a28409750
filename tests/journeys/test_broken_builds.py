"""The checker sees real gateways break their promises: every class of anomaly is found in a build that has it."""

from pathlib import Path

import pytest

from gateway.settings import Kafka
from tests.checker.check import Anomaly
from tests.checker.workload import messages
from tests.journeys.trial import trial
from tests.support.broken import BUILDS
from tests.support.system import Part
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

SEEN: dict[str, tuple[Part, Anomaly]] = {
    "swallows_records": ("dispatch", Anomaly.LOST),
    "answers_before_the_commit": ("intake", Anomaly.LOST),
    "swallows_for_holding": ("dispatch", Anomaly.TORN),
    "delivers_under_a_new_id": ("dispatch", Anomaly.DUPLICATE_EFFECT),
    "forgets_the_order": ("dispatch", Anomaly.REORDERED),
    "sends_to_the_neighbour": ("dispatch", Anomaly.WRONG_AREA),
    "signs_something_else": ("dispatch", Anomaly.PHANTOM),
    "changes_a_byte": ("dispatch", Anomaly.CHANGED_BODY),
    "changes_what_is_said": ("dispatch", Anomaly.CHANGED_BODY),
    "commits_before_the_work": ("dispatch", Anomaly.STUCK),
}


def test_every_anomaly_and_every_broken_build_is_tried() -> None:
    """No class of anomaly is without a build that shows it, and no broken build goes unseen."""
    assert {anomaly for _, anomaly in SEEN.values()} == set(Anomaly)
    assert SEEN.keys() == BUILDS.keys()


@pytest.mark.parametrize("build", SEEN)
async def test_a_broken_build_is_seen(
    build: str, tmp_path: Path, postgres: str, kafka_settings: Kafka, zygote: Zygote
) -> None:
    """What this build breaks is found under its name."""
    part, anomaly = SEEN[build]
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False, connections=2) as one:
        await one.system.start("intake", broken=build if part == "intake" else None)
        # Sent before dispatch runs, so that each person has several versions in line.
        await one.send(messages(range(24), 3))
        await one.system.start("dispatch", broken=build if part == "dispatch" else None)
        if build == "commits_before_the_work":
            await one.system.died("dispatch")
            await one.system.start("dispatch")
        await one.healed(patience=3.0)
        outcome = await one.outcome()
    print(f"{build}: {outcome}")
    assert outcome.report.found[anomaly], str(outcome)
