"""A GP's letter: a referral as the NHS standard has it, answered as the standard answers, and cancelled."""

import uuid
from datetime import timedelta

from gateway.local.cast import SURGERY
from gateway.local.gp_papers import FHIR, Referral, message_headers, reading_headers
from gateway.local.journeys.cast import FACT, HOME, OXFORDSHIRE, REFERRED, RETRACTION, somebody
from gateway.local.scene import Scene

TITLE = "a GP's letter to the LASARS, and its cancellation"

PRACTICE = "Y90417"
"""The ODS code of the surgery."""


async def play(scene: Scene) -> None:
    """The LASARS of the patient's home gets it; the GP gets the standard's answers, and can still take it back."""
    stage = scene.stage
    who = somebody(7001, "oxfordshire")
    letter = Referral(str(uuid.uuid4()), who, PRACTICE, stage.now() - timedelta(minutes=20))
    headers, body = message_headers(), letter.sent(stage.now())

    sent = await scene.send(SURGERY, "letter", body, FHIR, door="messages", headers=headers)
    response = sent.answer["entry"][0]["resource"]["response"]
    scene.expect(
        response == {"identifier": headers["x-request-id"], "code": "ok"},
        "the GP should be answered ok, by a message that responds to the letter",
    )
    await stage.quiet()
    came = await scene.reached(sent, {OXFORDSHIRE: [(REFERRED, FACT, HOME)]})
    for document in await scene.documents(came):
        scene.expect(
            who.surname in str(document) and who.street not in str(document),
            "the LASARS should be told who it is, and not the address",
        )
    told = (await stage.receipt(sent))["events"][0]["deliveries"]
    scene.expect(
        [(one["recipient"], [result["result"] for result in one["results"]]) for one in told]
        == [(OXFORDSHIRE.id, ["accepted"])],
        "the GP should see on the receipt that the LASARS of Oxfordshire has taken the patient on",
    )

    again = await stage.send(SURGERY, "letter again", body, FHIR, door="messages", headers=headers)
    scene.expect((again.status, _issue(again.answer)) == (409, "duplicate"), "the same letter again should be known")
    scene.expect(await _status(scene, letter) == "active", "before it is cancelled the referral should be current")
    cancelled = await scene.send(
        SURGERY, "its cancellation", letter.cancelled(stage.now()), FHIR, door="messages", headers=message_headers()
    )
    await stage.quiet()
    await scene.reached(cancelled, {OXFORDSHIRE: [(REFERRED, RETRACTION, HOME)]})
    scene.expect(await _status(scene, letter) == "revoked", "after it is cancelled it should not be current any more")
    late = await stage.send(
        SURGERY, "cancelled twice", letter.cancelled(stage.now()), FHIR, door="messages", headers=message_headers()
    )
    scene.expect((late.status, _issue(late.answer)) == (409, "conflict"), "what is cancelled should stay cancelled")
    scene.notes = [
        ("The GP was answered: ", "ok; the LASARS has accepted it; to the same again, 409 duplicate."),
        ("And to the cancellation: ", "ok, while it was current; to another one, 409 conflict."),
    ]


async def _status(scene: Scene, letter: Referral) -> str:
    """How the referral stands, as the standard has a sender read before it cancels."""
    told = await scene.stage.ask(SURGERY, f"/ServiceRequest/{letter.id}", reading_headers(letter.practice))
    status: str = told["status"]
    return status


def _issue(outcome: dict[str, list[dict[str, str]]]) -> str:
    """The code of an OperationOutcome's one issue."""
    (issue,) = outcome["issue"]
    return issue["code"]
