"""Three of whom less is known, or to be told: nothing is guessed, and nothing sent that nobody may see."""

from datetime import timedelta

from gateway.local.cast import GMP, LINCOLN, MET
from gateway.local.custody_papers import XML, Detention, drug_test, xml
from gateway.local.journeys.cast import FACT, HOLDING, STOCKPORT, TEST, somebody
from gateway.local.prison_papers import JSON, Prisoner, received
from gateway.local.scene import Scene

TITLE = "outside all areas, home not known, no case"


async def play(scene: Scene) -> None:
    """Outside the scheme nobody is told; without a home only who holds the person; without a case nobody."""
    stage = scene.stage
    arrested = stage.in_london() - timedelta(days=1)
    tested = arrested + timedelta(hours=2)

    elsewhere = Detention(somebody(3001, "elsewhere"), "01", "YE", "YE/3001/26", arrested)
    outside = await scene.send(MET, "test, home outside", xml(elsewhere, drug_test("DT-3001", tested)), XML)
    nowhere = Detention(somebody(3002, None), "06", "SP", "SP/3002/26", arrested)
    unknown = await scene.send(GMP, "test, home not known", xml(nowhere, drug_test("DT-3002", tested)), XML)
    prisoner = Prisoner(somebody(3003, "wakefield"), "LII", 1_703_003, stage.now().date() + timedelta(days=90))
    no_case = await scene.send(LINCOLN, "reception, no case", received(prisoner, stage.now()), JSON)
    await stage.quiet()

    await scene.reached(outside, {})
    seen = (await stage.receipt(outside))["events"][0]
    scene.expect(
        (seen["state"], seen["reason"]) == ("no_recipient", "out_of_scheme"),
        "the receipt of the test with a home outside all areas should say out_of_scheme",
    )

    await scene.reached(unknown, {STOCKPORT: [(TEST, FACT, HOLDING)]})
    held = (await stage.receipt(unknown))["events"][0]["held"]
    scene.expect(
        [(one["role"], one["reason"], one["owner"]) for one in held] == [("home", "no_home_area", "operations")],
        "the delivery to a home nobody knows should be held for operations, and its receipt say so",
    )

    scene.notes.append(("Held for operations: ", "the delivery to a home that nobody knows; its receipt says so."))

    await scene.reached(no_case, {})
    told = await stage.receipt(no_case)
    scene.expect(
        told["state"] == "routed" and told["events"][0]["deliveries"] == [] and told["events"][0]["reason"] is None,
        "the receipt of a prisoner without a case should read like that of one with a case",
    )
