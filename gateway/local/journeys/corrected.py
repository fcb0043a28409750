"""One custody record sent three times, corrected, changed back, and its test overturned by the laboratory."""

from datetime import timedelta

from gateway.local.cast import GMP
from gateway.local.custody_papers import XML, Detention, drug_test, xml
from gateway.local.journeys.cast import CORRECTION, FACT, HOLDING, HOME, RETRACTION, STOCKPORT, TEST, WIGAN, somebody
from gateway.local.scene import Scene

TITLE = "sent three times, corrected, overturned"


async def play(scene: Scene) -> None:
    """One effect, two corrections, and one retraction that reaches everybody who got the original."""
    stage = scene.stage
    arrested = stage.in_london() - timedelta(days=3)
    tested = arrested + timedelta(hours=1)
    detention = Detention(somebody(4001, "wigan"), "06", "SP", "SP/4001/26", arrested)
    original = xml(detention, drug_test("DT-4001", tested))

    first = await scene.send(GMP, "positive test", original, XML, headers={"idempotency-key": "SP/4001/26-1"})
    again = await stage.send(GMP, "the same, same id", original, XML, headers={"idempotency-key": "SP/4001/26-1"})
    scene.expect(
        again.status == 200 and again.receipt == first.receipt,
        "the same message under the same id should get the first receipt again",
    )
    scene.notes.append(("The same under the same id: ", "answered with the first receipt, nothing else happened."))
    repeat = await scene.send(GMP, "the same, other id", original, XML, headers={"idempotency-key": "SP/4001/26-2"})
    told = await stage.receipt(repeat)
    scene.expect(
        told["repeats"] == 1 and told["events"] == [],
        "the same record under another id should be known already, and make no event",
    )
    await stage.quiet()

    versions = (
        ("correction", drug_test("DT-4001", tested, version=2, opiates="POS")),
        ("change back", drug_test("DT-4001", tested, version=3)),
        ("lab's answer", drug_test("DT-4001", tested, version=4, laboratory="NOT_CONFIRMED")),
    )
    for what, form in versions:
        await scene.send(GMP, what, xml(detention, form), XML)
        await stage.quiet()

    steps = (FACT, CORRECTION, CORRECTION, RETRACTION)
    came = await scene.reached(
        scene.sent,
        {
            WIGAN: [(TEST, change, HOME) for change in steps],
            STOCKPORT: [(TEST, change, HOLDING) for change in steps],
        },
    )
    events = await stage.events(scene.sent)
    scene.expect(len(set(events)) == 4, "original, correction, change back and retraction should be four events")
    for document in await scene.documents(one for one in came if one.change == RETRACTION):
        scene.expect(
            document["data"] == {} and document["reason"] == "not_confirmed_by_laboratory",
            "the retraction should tell its reason, and nothing of the person",
        )
