"""One journey while it is played: what was sent in it, and what did not come out as it should."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.local.arrivals import Arrival
from gateway.local.cast import NAMES, Agency, Lasars
from gateway.local.stage import NotAsExpected, Sent, Stage

Told = tuple[str, str, str]
"""One thing a recipient is told: kind, change, and the role it is told in."""


@dataclass(slots=True)
class Scene:
    """A journey's own record.

    wrong: each a sentence. claimed: the deliveries that were looked at. notes: labels and texts to be shown.
    """

    stage: Stage
    sent: list[Sent] = field(default_factory=list)
    checks: int = 0
    wrong: list[str] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)
    notes: list[tuple[str, str]] = field(default_factory=list)

    async def send(
        self,
        agency: Agency,
        what: str,
        body: bytes,
        media_type: str,
        *,
        door: str = "records",
        headers: Mapping[str, str] | None = None,
    ) -> Sent:
        """Send something that must be accepted. Raises NotAsExpected: without it the journey cannot go on."""
        sent = await self.stage.send(agency, what, body, media_type, door=door, headers=headers)
        accepted = 200 if door == "messages" else 202
        if not self.expect(sent.status == accepted, f"{agency.name} should have had its {what} accepted"):
            raise NotAsExpected(f"it was answered with status {sent.status}")
        self.sent.append(sent)
        return sent

    def expect(self, holds: bool, otherwise: str) -> bool:
        """Check something; `otherwise` says in a sentence what should have been, and is not."""
        self.checks += 1
        if not holds:
            self.wrong.append(otherwise)
        return holds

    async def reached(self, sent: Sent | Sequence[Sent], expected: Mapping[Lasars, Sequence[Told]]) -> list[Arrival]:
        """Check that these, and nobody else, were told exactly this of what was sent, in this order, each thing once.

        Call it when all is quiet. Gives what arrived.
        """
        several = [sent] if isinstance(sent, Sent) else list(sent)
        came = await self.stage.arrivals(several)
        self.claimed |= {one.delivery for one in came}
        what = " and ".join(dict.fromkeys(one.what for one in several))
        wanted = {lasars.id: list(told) for lasars, told in expected.items()}
        for recipient in sorted({*wanted, *(one.recipient for one in came)}):
            got = [(one.kind, one.change, one.role) for one in came if one.recipient == recipient]
            should = wanted.get(recipient, [])
            self.expect(got == should, f"of the {what}, {_difference(NAMES[recipient], should, got)}")
        return came

    async def reached_in_all(self, sent: Sent, expected: Mapping[tuple[str, str], int]) -> None:
        """Check how many deliveries of a file each recipient (by id) got in each role."""
        came = await self.stage.arrivals([sent])
        self.claimed |= {one.delivery for one in came}
        got = Counter((one.recipient, one.role) for one in came)
        for place in sorted({*expected, *got}):
            recipient, role = place
            should, did = expected.get(place, 0), got[place]
            self.expect(should == did, f"{NAMES[recipient]} should have got {should} of the file as {role}, got {did}")

    async def documents(self, came: Iterable[Arrival]) -> list[dict[str, Any]]:
        """What recipients can read of these arrivals."""
        return [await self.stage.document(one) for one in came]


def _difference(name: str, should: Sequence[Told], got: Sequence[Told]) -> str:
    """What a recipient should have been told, and was, in a sentence."""
    if not should:
        return f"{name} should have got nothing, and got {_listed(got)}"
    return f"{name} should have got {_listed(should)}, and got {_listed(got)}"


def _listed(told: Sequence[Told]) -> str:
    return ", then ".join(f"{kind} ({change}, as {role})" for kind, change, role in told) or "nothing"
