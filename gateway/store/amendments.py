"""What a batch changes of rows that stand already. It happens seldom; what is new is in `outcome`."""

from collections.abc import Sequence
from datetime import datetime

from gateway.addressing.cases import Left
from gateway.addressing.changes import Changes, Release
from gateway.addressing.evidence import Evidence
from gateway.store.arrays import arrays
from gateway.store.outcome import flags_as_json
from gateway.store.session import Session
from gateway.store.statement import Statement

_MEND = Statement(
    """
    update evidence e set authority = t.authority, flags = cast(t.flags as jsonb)
    from unnest(cast(:person_id as uuid[]), cast(:id as uuid[]), cast(:authority as text[]), cast(:flags as text[]))
         as t(person_id, id, authority, flags)
    where e.person_id = any(cast(:person_id as uuid[])) and e.person_id = t.person_id and e.id = t.id
    """
)

_LEAVE = Statement(
    """
    update participants p set until = t.at
    from unnest(cast(:case_id as uuid[]), cast(:number as integer[]), cast(:at as timestamptz[]))
         as t(case_id, number, at)
    where p.case_id = any(cast(:case_id as uuid[])) and p.case_id = t.case_id and p.number = t.number
    """
)

# One that has ended stays as it ended. Asked for those that have not, PostgreSQL may read all that are open.
_RELEASE = Statement(
    """
    update holds h set released = coalesce(h.released, :now), outcome = coalesce(h.outcome, t.outcome)
    from unnest(cast(:event_id as uuid[]), cast(:decision as smallint[]), cast(:role as text[]),
                cast(:outcome as text[])) as t(event_id, decision, role, outcome)
    where h.event_id = any(cast(:event_id as uuid[])) and h.event_id = t.event_id and h.decision = t.decision
      and h.role = t.role
    """
)


async def amend(session: Session, changes: Changes, now: datetime) -> None:
    """Evidence read again with better places, participants who are so no longer, and holds that end.

    After what is new was written: who joined or began to wait in this batch may leave or go on in it too.
    """
    if changes.mended:
        await _mend(session, changes.mended)
    if left := [one for one in changes.participants if isinstance(one, Left)]:
        await session.run(_LEAVE, arrays("case_id number at", [(one.case_id, one.number, one.at) for one in left]))
    if changes.releases:
        await _release(session, changes.releases, now)


async def _mend(session: Session, evidence: Sequence[Evidence]) -> None:
    rows = [(one.person_id, one.id, one.authority, flags_as_json(one)) for one in evidence]
    await session.run(_MEND, arrays("person_id id authority flags", rows))


async def _release(session: Session, releases: Sequence[Release], now: datetime) -> None:
    rows = [(one.event_id, one.decision, one.role.value, one.outcome) for one in releases]
    await session.run(_RELEASE, {**arrays("event_id decision role outcome", rows), "now": now})
