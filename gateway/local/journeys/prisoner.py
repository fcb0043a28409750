"""A man from Wigan in HMP Lincoln, whose drug team reports a need; his dates move, he is released, and recalled."""

from datetime import timedelta

from gateway.local.cast import LINCOLN, PROBATION
from gateway.local.journeys.cast import (
    CORRECTION,
    DATES,
    FACT,
    HOLDING,
    HOME,
    LICENCE_ACTIVATED,
    LINCOLNSHIRE,
    LIVES,
    NEED,
    RECALLED,
    RELEASED,
    WIGAN,
    somebody,
)
from gateway.local.prison_papers import JSON, Prisoner, dates_changed, need_identified, received, released
from gateway.local.probation_papers import LICENCE, RECALL, Case
from gateway.local.scene import Scene

TITLE = "from Wigan, in HMP Lincoln, released, recalled"


async def play(scene: Scene) -> None:
    """Nobody learns of the reception; the need opens a case, and from then on both are told of every step."""
    stage = scene.stage
    who = Prisoner(somebody(2002, "wigan"), "LII", 1_702_002, stage.now().date() + timedelta(days=200))

    came_in = stage.now()
    reception = await scene.send(LINCOLN, "reception", received(who, came_in), JSON)
    waiting = await stage.receipt(reception)
    scene.expect(
        waiting["state"] == "validated" and waiting["events"][0]["due"] is not None,
        "the reception should wait for its reversal, and its receipt say until when",
    )
    await stage.quiet()
    await scene.reached(reception, {})

    need = await scene.send(LINCOLN, "need", need_identified(who, "LII-DT-2002", stage.now()), JSON)
    await stage.quiet()
    told = await scene.reached(need, {WIGAN: [(NEED, FACT, HOME)], LINCOLNSHIRE: [(NEED, FACT, HOLDING)]})
    for document in await scene.documents(told):
        place = document.get("placement", {})
        scene.expect(
            (place.get("prison"), place.get("expected_release")) == ("LII", who.release.isoformat())
            and str(place.get("since", "")).startswith(f"{came_in:%Y-%m-%dT%H:%M:%S}"),
            "with the need each should be told where he is held, since when, and until when",
        )
        scene.expect(
            (document["why"]["home"]["area"], document["why"]["home"]["basis"]) == ("wigan", "declared_at_reception")
            and document["why"]["holding"]["area"] == "lincolnshire",
            "each should be told that home is Wigan, by what he said at reception, and holding Lincolnshire",
        )

    scene.notes.append(("Told with the need: ", "where he is held, since when and until when, and why Wigan is home."))

    mistaken = await scene.send(LINCOLN, "release by mistake", released(who, stage.now()), JSON)
    undone = await scene.send(LINCOLN, "its reversal", received(who, stage.now(), reason="READMISSION"), JSON)
    await stage.quiet()
    await scene.reached([mistaken, undone], {})

    for number, days in enumerate((180, 150)):
        change = CORRECTION if number else FACT
        dates = await scene.send(
            LINCOLN,
            "earlier date" if number else "new date",
            dates_changed(who, stage.now(), stage.now().date() + timedelta(days=days)),
            JSON,
        )
        await stage.quiet()
        await scene.reached(dates, {WIGAN: [(DATES, change, HOME)], LINCOLNSHIRE: [(DATES, change, HOLDING)]})

    out = await scene.send(LINCOLN, "release", released(who, stage.now()), JSON)
    await stage.quiet()
    await scene.reached(out, {WIGAN: [(RELEASED, FACT, HOME)], LINCOLNSHIRE: [(RELEASED, FACT, HOLDING)]})
    seen = await stage.receipt(out)
    scene.expect(
        seen["state"] == "routed" and seen["events"][0]["deliveries"] == [],
        "the prison should not learn from a release whether anybody was told of it",
    )
    await _recalled(scene, who)


async def _recalled(scene: Scene, who: Prisoner) -> None:
    """Probation, which knows him by his prison number too, tells of his licence, and that it is taken from him."""
    stage = scene.stage
    case = Case(who.person, stage.now().date() - timedelta(days=1), in_prison=True)
    await stage.know(case.answers())
    licence = await scene.send(PROBATION, "licence", case.event(LICENCE, stage.now()), JSON)
    await stage.quiet()
    await scene.reached(licence, {WIGAN: [(LIVES, FACT, HOME), (LICENCE_ACTIVATED, FACT, HOME)]})
    recall = await scene.send(PROBATION, "recall", case.event(RECALL, stage.now()), JSON)
    await stage.quiet()
    (told,) = await scene.documents(await scene.reached(recall, {WIGAN: [(RECALLED, FACT, HOME)]}))
    scene.expect(
        who.person.noms in str(told) and told["case"]["responsible"] == "wigan",
        "Wigan should be told the recall as that of the man whom the prison told it of",
    )
