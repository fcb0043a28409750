"""Somebody who was referred moves house, and only the register of patients says so."""

import uuid
from dataclasses import replace
from datetime import timedelta

from gateway.local.cast import REGISTRATIONS, SURGERY
from gateway.local.gp_papers import EDIFACT, FHIR, Referral, message_headers, registration_amended
from gateway.local.journeys.cast import BRACKNELL_FOREST, FACT, HOME, REFERRED, REGISTRATION, STOCKPORT, somebody
from gateway.local.journeys.letter import PRACTICE
from gateway.local.scene import Scene

TITLE = "moves from Bracknell to Stockport"

_NUMBER = 7301


async def play(scene: Scene) -> None:
    """Home follows the register; the case stays with who is responsible for it, and nobody else's move is told."""
    stage = scene.stage
    who = somebody(_NUMBER, "bracknell-forest")
    stranger = somebody(_NUMBER + 2, "bracknell-forest")
    written = stage.now() - timedelta(days=40)
    letter = Referral(str(uuid.uuid4()), who, PRACTICE, written)
    first = await scene.send(SURGERY, "letter", letter.sent(written), FHIR, door="messages", headers=message_headers())
    await stage.quiet()
    await scene.reached(first, {BRACKNELL_FOREST: [(REFERRED, FACT, HOME)]})

    moved = []
    for number, (what, one) in enumerate((("new address", who), ("a stranger's", stranger)), _NUMBER):
        there = replace(one, street="4 Example Rise", town="Stockport", postcode="SK2 5QX")
        body = registration_amended(there, number, stage.now() - timedelta(hours=1))
        sent = await scene.send(REGISTRATIONS, what, body, EDIFACT)
        scene.expect(
            _report(sent.body) == f"RFF+RIS:{number:08} OK:1",
            f"the interchange with {what} should be answered by a receipt report that says OK",
        )
        moved.append(sent)
    await stage.quiet()

    came = await scene.reached(moved[0], {STOCKPORT: [(REGISTRATION, FACT, HOME)]})
    await scene.reached(moved[1], {})
    for document in await scene.documents(came):
        scene.expect(
            document["why"]["home"]["area"] == "stockport" and document["case"]["responsible"] == "bracknell-forest",
            "Stockport should be told that it is home now, and Bracknell Forest responsible for the case",
        )
    scene.notes.append(("Each interchange was answered: ", "by a receipt report (RECEP), OK."))


def _report(recep: bytes) -> str:
    """What a receipt report says of the whole interchange."""
    return next((one for one in recep.decode("ascii").split("'\r\n") if one.startswith("RFF+RIS:")), "")
