"""The checker sees: a whole history has no anomaly, and each way of breaking one is found, under its name alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.checker.check import Anomaly, check
from tests.checker.history import (
    Acknowledged,
    Arrived,
    Effect,
    Fault,
    History,
    Invoked,
    KeptDelivery,
    KeptRecord,
    Refused,
    Step,
    Taken,
    Unknown,
    read,
)

HOME, HOLDING, ELSEWHERE = "lasars-home", "lasars-holding", "lasars-elsewhere"


def sent(version: int) -> list[Step]:
    """One message of person 7, taken at the second try and delivered to both it is owed to."""
    message, receipt, content = f"m{version}", f"r{version}", f"c{version}"
    steps: list[Step] = [
        Invoked(message, 7, version, content, (HOME, HOLDING)),
        Unknown(message),
        Invoked(message, 7, version, content, (HOME, HOLDING)),
        Taken(message, receipt),
    ]
    for recipient in (HOME, HOLDING):
        delivery, body = f"d{version}-{recipient}", f"b{version}-{recipient}"
        steps += [
            Arrived(recipient, delivery, body, 7, version, content, 503),
            Arrived(recipient, delivery, body, 7, version, content, 204),
            Effect(recipient, delivery, 7, version),
            Acknowledged(recipient, delivery),
            KeptDelivery(delivery, receipt, recipient, "acknowledged", body),
        ]
    return [*steps, KeptRecord(receipt, "decided")]


def whole() -> list[Step]:
    """A history with nothing wrong: two taken, one refused, one of which nobody knows and that never came in."""
    return [
        *sent(1),
        Fault("kill dispatch"),
        *sent(2),
        Invoked("m3", 7, 3, "c3", (HOME,)),
        Refused("m3", 422),
        Invoked("m4", 8, 1, "c4", (HOME, HOLDING)),
        Unknown("m4"),
    ]


def without(*dropped: type[Step], of: str, at: str | None = None) -> Callable[[], list[Step]]:
    """The history without some lines about a message, at one recipient or everywhere."""

    def broken() -> list[Step]:
        return [one for one in whole() if not (isinstance(one, dropped) and _about(one, of) and _at(one, at))]

    return broken


def _about(step: Step, version: str) -> bool:
    name = getattr(step, "delivery", None) or getattr(step, "receipt", None) or ""
    return name[1:].partition("-")[0] == version


def _at(step: Step, recipient: str | None) -> bool:
    return recipient is None or getattr(step, "recipient", recipient) == recipient


def changed(what: type[Step], of: str, at: str | None = None, **fields: object) -> Callable[[], list[Step]]:
    """The history with something else in one line."""

    def broken() -> list[Step]:
        steps = whole()
        place = next(
            number
            for number, one in enumerate(steps)
            if isinstance(one, what) and (_about(one, of) or getattr(one, "message", "") == f"m{of}") and _at(one, at)
        )
        steps[place] = replace(steps[place], **fields)  # type: ignore[arg-type]
        return steps

    return broken


def added(*steps: Step) -> Callable[[], list[Step]]:
    """The history with more lines."""
    return lambda: [*whole(), *steps]


DELIVERED = (Arrived, Effect, Acknowledged, KeptDelivery)

BROKEN: dict[str, tuple[Anomaly, Callable[[], list[Step]]]] = {
    "nobody got it": (Anomaly.LOST, without(*DELIVERED, of="2")),
    "the store does not know its receipt": (Anomaly.LOST, without(KeptRecord, of="2")),
    "an acknowledgement was forgotten": (Anomaly.LOST, changed(KeptDelivery, "2", HOME, state="offered")),
    "offered, and the recipient knows nothing": (
        Anomaly.LOST,
        lambda: [
            replace(one, state="offered") if isinstance(one, KeptDelivery) and _about(one, "2") else one
            for one in without(Arrived, Effect, Acknowledged, of="2")()
        ],
    ),
    "the same delivery had its effect twice": (Anomaly.DUPLICATE_EFFECT, added(Effect(HOME, f"d2-{HOME}", 7, 2))),
    "it came again under another delivery id": (
        Anomaly.DUPLICATE_EFFECT,
        added(Arrived(HOME, "d9", "b9", 7, 2, "c2", 204), Effect(HOME, "d9", 7, 2)),
    ),
    "one message has two receipts": (
        Anomaly.DUPLICATE_EFFECT,
        added(Taken("m2", "r9"), KeptRecord("r9", "decided")),
    ),
    "versions went backwards": (
        Anomaly.REORDERED,
        lambda: [*sent(2), *sent(1)],
    ),
    "another area got it too": (
        Anomaly.WRONG_AREA,
        added(Arrived(ELSEWHERE, "d9", "b9", 7, 2, "c2", 204)),
    ),
    "another area was shown it and answered with an error": (
        Anomaly.WRONG_AREA,
        added(Arrived(ELSEWHERE, "d9", "b9", 7, 2, "c2", 500)),
    ),
    "nobody sent it": (
        Anomaly.PHANTOM,
        added(Arrived(HOME, "d9", "b9", 7, 9, "c9", 204), Effect(HOME, "d9", 7, 9)),
    ),
    "nobody signed it": (Anomaly.PHANTOM, added(Arrived(HOME, "", "b9", None, 0, "", 401))),
    "it was refused, and delivered all the same": (
        Anomaly.PHANTOM,
        added(Arrived(HOME, "d3", "b3", 7, 3, "c3", 204), Effect(HOME, "d3", 7, 3)),
    ),
    "one of two got it": (Anomaly.TORN, without(*DELIVERED, of="2", at=HOLDING)),
    "nobody knows whether it was taken, and one of two got it": (
        Anomaly.TORN,
        added(Arrived(HOME, "d4", "b4", 8, 1, "c4", 204), Effect(HOME, "d4", 8, 1)),
    ),
    "the second attempt had another body": (Anomaly.CHANGED_BODY, changed(Arrived, "2", HOME, body="b9")),
    "the store has another body": (Anomaly.CHANGED_BODY, changed(KeptDelivery, "2", HOME, body="b9")),
    "it does not say what was sent": (Anomaly.CHANGED_BODY, changed(Invoked, "2", content="c9")),
    "still queued": (
        Anomaly.STUCK,
        lambda: [
            *without(*DELIVERED, of="2", at=HOME)(),
            KeptDelivery(f"d2-{HOME}", "r2", HOME, "queued", f"b2-{HOME}"),
        ],
    ),
    "never decided": (
        Anomaly.STUCK,
        lambda: [
            replace(one, state="undecided") if isinstance(one, KeptRecord) and _about(one, "2") else one
            for one in without(*DELIVERED, of="2", at=HOME)()
        ],
    ),
    "its recipient could never acknowledge it": (
        Anomaly.STUCK,
        lambda: [
            replace(one, state="offered") if isinstance(one, KeptDelivery) and one.delivery == f"d2-{HOME}" else one
            for one in without(Acknowledged, of="2", at=HOME)()
        ],
    ),
    "it had its effect and is still queued": (
        Anomaly.STUCK,
        lambda: [
            replace(one, state="queued") if isinstance(one, KeptDelivery) and one.delivery == f"d2-{HOME}" else one
            for one in without(Acknowledged, of="2", at=HOME)()
        ],
    ),
}


def test_a_whole_history_has_no_anomaly() -> None:
    """Retries, repeated arrivals, refusals and what nobody knows are no anomalies."""
    report = check(whole())
    assert report.anomalies == 0, str(report)
    assert (report.messages, report.effects) == (4, 4)


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_broken_is_seen(how: str) -> None:
    """Each way of breaking a history is found under its name, and under no other."""
    anomaly, broken = BROKEN[how]
    report = check(broken())
    assert {name for name, lines in report.found.items() if lines} == {anomaly}, str(report)


def test_every_anomaly_can_be_seen() -> None:
    """No class of anomaly is without a history that shows it."""
    assert {anomaly for anomaly, _ in BROKEN.values()} == set(Anomaly)


def test_who_never_came_back_may_wait_and_may_not_lose() -> None:
    """For a recipient that stays away a queued delivery is right, and one that is nowhere is torn all the same."""
    gone = without(*DELIVERED, of="2", at=HOME)()
    queued = [*gone, KeptDelivery(f"d2-{HOME}", "r2", HOME, "queued", f"b2-{HOME}")]
    assert check(queued, away={HOME}).anomalies == 0
    assert [name for name, lines in check(gone, away={HOME}).found.items() if lines] == [Anomaly.TORN]


def test_an_anomaly_is_told_with_its_count_and_an_example() -> None:
    """What is printed names the class, how often, and one instance by its ids."""
    assert f"wrong-area 1, for example delivery d9 at {ELSEWHERE}" in str(check(BROKEN["another area got it too"][1]()))


def test_a_history_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """A failed run can be looked into afterwards: its file holds the same steps."""
    history = History(tmp_path / "history.jsonl")
    for step in whole():
        history.write(step)
    history.close()
    assert list(read(history.file)) == whole()
