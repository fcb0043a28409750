"""Somebody asks for help at the wrong LASARS, and is sent home without being sent away."""

from gateway.local.cast import ENFIELD_DESK
from gateway.local.journeys.cast import ENFIELD, FACT, HOLDING, HOME, KENT, SELF_REFERRED, somebody
from gateway.local.scene import Scene
from gateway.local.self_referral_papers import JSON, self_referral

TITLE = "asks for help in Enfield, at home in Kent"


async def play(scene: Scene) -> None:
    """Kent gets it, and Enfield, which took it, keeps it as the one that holds the person and hears Kent's answer."""
    stage = scene.stage
    who = somebody(7101, "kent")
    paper = self_referral(who, "EN-SR-7101", ENFIELD.area, stage.now(), ["opiates", "crack"])
    asked = await scene.send(ENFIELD_DESK, "self-referral", paper, JSON)
    await stage.quiet()

    came = await scene.reached(asked, {KENT: [(SELF_REFERRED, FACT, HOME)], ENFIELD: [(SELF_REFERRED, FACT, HOLDING)]})
    for document in await scene.documents(came):
        why = document["why"]
        scene.expect(
            (why["home"]["area"], why["holding"]["basis"]) == ("kent", "self_referral")
            and document["case"]["responsible"] == "kent",
            "both should be told that Kent is home and responsible, and Enfield where the person asked",
        )
        scene.expect(who.street in str(document), "both should be told all that the person gave, the address too")
    receipt = await stage.receipt(asked)
    answers = {
        one["recipient"]: [result["result"] for result in one["results"]]
        for event in receipt["events"]
        for one in event["deliveries"]
    }
    scene.expect(
        answers == {KENT.id: ["accepted"], ENFIELD.id: ["accepted"]},
        "Enfield should see on its receipt that Kent has taken the person on",
    )
    scene.notes.append(("Enfield sees on its receipt: ", "Kent has accepted it."))
