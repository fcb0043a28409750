"""A recipient that is down when its messages come, and comes back."""

from datetime import timedelta

from gateway.local.cast import GMP
from gateway.local.custody_papers import XML, Detention, assessment_required, assessment_varied, drug_test, xml
from gateway.local.journeys.cast import (
    CORRECTION,
    FACT,
    HOLDING,
    HOME,
    OXFORDSHIRE,
    REQUIRED,
    STOCKPORT,
    TEST,
    VARIED,
    WAKEFIELD,
    somebody,
)
from gateway.local.scene import Scene
from gateway.local.stage import Sent, Stage

TITLE = "a recipient that is down, and comes back"


async def play(scene: Scene) -> None:
    """Nobody else waits, nothing is lost, and what Wakefield missed comes in order."""
    stage = scene.stage
    arrested = stage.in_london() - timedelta(days=2)
    due = arrested + timedelta(days=6)
    detention = Detention(somebody(5001, "wakefield"), "06", "SP", "SP/5001/26", arrested)
    another = Detention(somebody(5002, "wakefield"), "06", "SP", "SP/5002/26", arrested)
    neighbour = Detention(somebody(5003, "oxfordshire"), "06", "SP", "SP/5003/26", arrested)
    tested = arrested + timedelta(hours=2)
    notice = assessment_required("RA-5001", tested, due, "Wakefield LASARS, 3 Sample Street")
    moved = assessment_varied("RA-5001", arrested + timedelta(days=1), due + timedelta(days=1), "The same place")

    stage.stop(WAKEFIELD)
    try:
        test = await scene.send(GMP, "test, Wakefield down", xml(detention, drug_test("DT-5001", tested)), XML)
        await stage.until("Wakefield was tried while it is down", lambda: stage.tried(WAKEFIELD, test))
        required = await scene.send(GMP, "RA1, Wakefield down", xml(detention, notice), XML)
        varied = await scene.send(GMP, "RA2, Wakefield down", xml(detention, moved), XML)
        other = await scene.send(GMP, "another person's test", xml(another, drug_test("DT-5002", tested)), XML)
        beside = await scene.send(GMP, "a neighbour's test", xml(neighbour, drug_test("DT-5003", tested)), XML)
        mine = [test, required, varied]
        await _acknowledged(stage, beside, {OXFORDSHIRE.id, STOCKPORT.id})
        for one in (*mine, other):
            await _acknowledged(stage, one, {STOCKPORT.id})
        states = [await _states(stage, one) for one in (*mine, other)]
        scene.expect(
            all(one[WAKEFIELD.id] == "queued" for one in states),
            "everything for Wakefield should still be queued while all others have acknowledged theirs",
        )
        scene.notes.append(("While Wakefield was down: ", "everybody else had and acknowledged theirs."))
    finally:
        stage.start(WAKEFIELD)
    await stage.quiet()

    steps = [(TEST, FACT), (REQUIRED, FACT), (VARIED, CORRECTION)]
    await scene.reached(
        mine,
        {
            WAKEFIELD: [(kind, change, HOME) for kind, change in steps],
            STOCKPORT: [(kind, change, HOLDING) for kind, change in steps],
        },
    )
    await scene.reached(other, {WAKEFIELD: [(TEST, FACT, HOME)], STOCKPORT: [(TEST, FACT, HOLDING)]})
    await scene.reached(beside, {OXFORDSHIRE: [(TEST, FACT, HOME)], STOCKPORT: [(TEST, FACT, HOLDING)]})


async def _states(stage: Stage, sent: Sent) -> dict[str, str]:
    """The state of each delivery of a record, by recipient, as its sender sees it."""
    told = await stage.receipt(sent)
    return {one["recipient"]: one["state"] for event in told["events"] for one in event["deliveries"]}


async def _acknowledged(stage: Stage, sent: Sent, recipients: set[str]) -> None:
    async def all_have() -> bool:
        states = await _states(stage, sent)
        return all(states.get(recipient) == "acknowledged" for recipient in recipients)

    await stage.until(f"everybody but Wakefield has acknowledged the {sent.what}", all_have)
