"""A Jobcentre refers somebody, and a night's file says that the benefit has ended: theirs, and forty strangers'."""

from datetime import timedelta

from gateway.local.cast import DWP
from gateway.local.dwp_papers import JSON, TEXT, Decision, cut_short, extract, referral
from gateway.local.journeys.cast import BENEFIT_ENDED, BY_AREA, FACT, HOME, KENT, SENT_BY_JOBCENTRE, somebody
from gateway.local.scene import Scene

TITLE = "sent by a Jobcentre, and off benefit"

STRANGERS = 40
_AREAS = tuple(BY_AREA)
_FEW = 12
"""Records that came of the file before its transfer broke off."""


async def play(scene: Scene) -> None:
    """What came of half a file is refused whole; of the whole file one row in 41 is anybody's business."""
    stage = scene.stage
    today = stage.now().date()
    who = somebody(7400, "kent")
    first = await scene.send(DWP, "referral", referral(who, "PR-7400", today - timedelta(days=30)), JSON)
    await stage.quiet()
    await scene.reached(first, {KENT: [(SENT_BY_JOBCENTRE, FACT, HOME)]})

    ended = today - timedelta(days=3)
    others = [
        Decision(somebody(7400 + number, _AREAS[number % len(_AREAS)]), "SE"[number % 2], ended)
        for number in range(1, STRANGERS + 1)
    ]
    file = extract(417, stage.in_london(), [*others, Decision(who, "E", ended)])
    half = await stage.send(DWP, "half a file", cut_short(file, _FEW), TEXT, door="drop/nightly-417.txt")
    faults = half.answer.get("errors", ())
    scene.expect(
        (half.status, [one["rule"] for one in faults]) == (422, ["DW-003"]),
        "the file without its end should be refused whole, because its trailer is missing",
    )
    scene.notes += [(f"Half a file refused, {one['rule']}: ", one["text"]) for one in faults]
    whole = await scene.send(DWP, "file", file, TEXT, door="drop/nightly-417.txt")
    counts = {name: whole.answer.get(name) for name in ("rows", "accepted", "refused")}
    scene.expect(
        counts == {"rows": STRANGERS + 1, "accepted": STRANGERS + 1, "refused": 0},
        f"the same file whole should be taken, every row of it, and its receipt says {counts}",
    )
    await stage.quiet()
    came = await scene.reached(whole, {KENT: [(BENEFIT_ENDED, FACT, HOME)]})
    for document in await scene.documents(came):
        scene.expect(
            document["data"]["effective"] == ended.isoformat() and who.nino[:8] not in str(document),
            "Kent should be told since when, and no National Insurance number",
        )
