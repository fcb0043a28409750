"""Arrested in one area, at home in another; the assessment is moved, and missed."""

from datetime import timedelta

from gateway.local.cast import MET
from gateway.local.custody_papers import XML, Detention, assessment_required, assessment_varied, drug_test, xml
from gateway.local.journeys.cast import (
    CORRECTION,
    ENFIELD,
    FACT,
    HOLDING,
    HOME,
    REQUIRED,
    STOCKPORT,
    TEST,
    VARIED,
    somebody,
)
from gateway.local.scene import Scene

TITLE = "arrested in Enfield, at home in Stockport"

_CLOSED = ({"result": "accepted"}, {"result": "assessment_missed"}, {"result": "closed"})


async def play(scene: Scene) -> None:
    """Home and holding each get the test and the notices; the police learn that it was missed, and nothing more."""
    who = somebody(1001, "stockport")
    arrested = scene.stage.in_london() - timedelta(days=8)
    due, moved_to = arrested + timedelta(days=4), arrested + timedelta(days=7)
    detention = Detention(who, "01", "YE", "YE/1001/26", arrested)
    await scene.stage.script(STOCKPORT, [{"kind": VARIED, "times": 1, "receipts": _CLOSED}])

    test = drug_test("DT-1001", arrested + timedelta(hours=2))
    notice = assessment_required("RA-1001", arrested + timedelta(hours=3), due, "Enfield LASARS, 1 Example Parade")
    first = await scene.send(MET, "positive test with RA1", xml(detention, test, notice), XML)
    await scene.stage.quiet()
    given = arrested + timedelta(days=2)
    varied = assessment_varied("RA-1001", given, moved_to, "Stockport LASARS, 2 Sample Street")
    second = await scene.send(MET, "RA2", xml(detention, varied), XML)
    await scene.stage.quiet()
    await scene.stage.until("Stockport has closed the case", lambda: scene.stage.told(STOCKPORT, "closed"))

    came = await scene.reached(
        first,
        {
            STOCKPORT: [(TEST, FACT, HOME), (REQUIRED, FACT, HOME)],
            ENFIELD: [(TEST, FACT, HOLDING), (REQUIRED, FACT, HOLDING)],
        },
    )
    came += await scene.reached(
        second, {STOCKPORT: [(VARIED, CORRECTION, HOME)], ENFIELD: [(VARIED, CORRECTION, HOLDING)]}
    )
    for document in await scene.documents(came):
        told = str(document)
        scene.expect(
            document["why"]["home"]["area"] == "stockport" and document["why"]["holding"]["area"] == "enfield",
            "every message should say that home is Stockport and holding Enfield",
        )
        scene.expect(
            document["case"] is not None and document["case"]["responsible"] == "stockport",
            "every message should belong to a case for which Stockport is responsible",
        )
        scene.expect(
            who.surname in told and who.street not in told and who.cro not in told,
            "every message should name the person, and tell neither address nor CRO number",
        )
    await _police_see_no_more(scene)


async def _police_see_no_more(scene: Scene) -> None:
    """Of what Stockport told, the police see the answer and that the appointment was missed; not that it closed."""
    _, second = scene.sent
    receipt = await scene.stage.receipt(second)
    seen = {
        delivery["recipient"]: [one["result"] for one in delivery["results"]]
        for event in receipt["events"]
        for delivery in event["deliveries"]
    }
    should = {STOCKPORT.id: ["accepted", "assessment_missed"], ENFIELD.id: ["accepted"]}
    scene.expect(
        seen == should,
        "the police should see on their RA2 that Stockport accepted it and the assessment was missed, that Enfield "
        "accepted it, and nothing else",
    )
    scene.notes.append(("The police see on RA2: ", "Stockport accepted it, assessment missed; Enfield accepted it."))
    scene.notes.append(("They do not see: ", "that Stockport has closed the case."))
