"""A court orders drug rehabilitation, and the order is breached: events that only point at a probation case."""

from datetime import timedelta
from typing import Any

from gateway.local.cast import PROBATION
from gateway.local.journeys.cast import BREACHED, FACT, HOME, ORDERED, WAKEFIELD, somebody
from gateway.local.probation_papers import BREACH, JSON, REQUIREMENT, Case
from gateway.local.scene import Scene
from gateway.local.stage import Sent

TITLE = "ordered to drug rehabilitation, and a breach"


async def play(scene: Scene) -> None:
    """The order waits while the case API is away, and reaches home when it is back; the breach follows it."""
    stage = scene.stage
    who = somebody(7201, "wakefield")
    case = Case(who, stage.now().date() - timedelta(days=14), order=2_500_412)
    stranger = Case(somebody(7202, "wakefield"), stage.now().date() - timedelta(days=30))
    for one in (case, stranger):
        await stage.know(one.answers())

    await stage.take_case_api_away()
    try:
        ordered = await scene.send(PROBATION, "order", case.event(REQUIREMENT, stage.now()), JSON)
        waits: dict[str, Any] = {}

        async def has_waited() -> bool:
            waits.update(await stage.receipt(ordered))
            return bool(waits["reason"] == "source_unavailable")

        await stage.until("the case was asked for in vain", has_waited)
        scene.expect(
            (waits["state"], waits["events"]) == ("held", []) and waits["due"] is not None,
            "while its case cannot be had, the order should wait, and its receipt say until when",
        )
    finally:
        await stage.bring_case_api_back()
    await stage.quiet()

    # Where the person lives is told before the order, when nobody has a case of theirs yet, and so to nobody.
    came = await scene.reached(ordered, {WAKEFIELD: [(ORDERED, FACT, HOME)]})
    for document in await scene.documents(came):
        scene.expect(
            document["data"]["requirement"] == "drug_rehabilitation"
            and document["why"]["home"]["basis"] == "main_residence",
            "Wakefield should be told that it is drug rehabilitation, and that home is where probation says they live",
        )
        scene.expect(who.crn in str(document) and who.street not in str(document), "it should tell no address")
    scene.notes.append(("While the case API was away: ", "the order waited; its receipt said why and until when."))

    breach = await scene.send(PROBATION, "breach", case.event(BREACH, stage.now()), JSON)
    no_case = await scene.send(PROBATION, "breach, no case", stranger.event(BREACH, stage.now()), JSON)
    await stage.quiet()
    await scene.reached(breach, {WAKEFIELD: [(BREACHED, FACT, HOME)]})
    await scene.reached(no_case, {})
    scene.expect(
        [await _seen(scene, one) for one in (breach, no_case)] == [("routed", 0)] * 2,
        "probation should read the same of a breach whether anybody was told of it or not",
    )


async def _seen(scene: Scene, sent: Sent) -> tuple[str, int]:
    """What a receipt tells its sender: the state, and how many deliveries."""
    receipt = await scene.stage.receipt(sent)
    return receipt["state"], sum(len(event["deliveries"]) for event in receipt["events"])
