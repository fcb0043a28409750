"""The accounts of a local system: the gateway's ledgers held against what the stand-ins wrote down themselves.

What an agency was told is taken must be in the journal, every case that probation's case API told must be with a
record, and every arrival at a recipient must be a delivery; and the other way round. Each missing thing counts once: a
delivery that its decision counts and a recipient has, and whose row is gone, is one and not two.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.local.arrivals import Writings
from gateway.local.installation import Installation
from gateway.operations.reconcile import Ledgers, reconcile

_RECORDS = text("select coalesce(file_id, id)::text as receipt, sender, count(*) as total from records group by 1, 2")
_DELIVERIES = text("select id::text as id, recipient, offered is not null as offered from deliveries")
_FILLED = text(
    "select count(*) from fillings f join records r on r.id = f.record_id"
    " where r.agency = 'probation' and f.outcome = 'filled'"
)
_GONE = text(
    """
    select d.event_id::text as event, sum(d.deliveries - coalesce(x.total, 0))::int as missing
    from decisions d
    left join (select event_id, decision, count(*) as total from deliveries group by event_id, decision) x
      on x.event_id = d.event_id and x.decision = d.number
    where d.deliveries > coalesce(x.total, 0) group by d.event_id
    """
)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ledgers, and each difference from what the stand-ins wrote, in words."""

    ledgers: Ledgers
    differences: Mapping[str, int]

    @property
    def unaccounted(self) -> int:
        """Everything that is missing, or there without a reason."""
        return self.ledgers.unaccounted + sum(self.differences.values())

    def sentences(self) -> list[str]:
        """What is not accounted for, one sentence each."""
        own = {f"in the ledgers, {name.replace('_', ' ')}": count for name, count in self.ledgers.differences.items()}
        return [f"{count} {what}" for what, count in (own | dict(self.differences)).items() if count]


async def make_up(connection: AsyncConnection, own: Installation) -> Accounts:
    """Make up the accounts. The connection must not be inside a transaction yet; nothing should be under way."""
    ledgers = await reconcile(connection)
    taken = {(row.sender, row.receipt): row.total for row in await connection.execute(_RECORDS)}
    deliveries = {(row.recipient, row.id): row.offered for row in await connection.execute(_DELIVERIES)}
    filled = (await connection.execute(_FILLED)).scalar_one()
    gone = Counter({row.event: row.missing for row in await connection.execute(_GONE)})
    await connection.rollback()
    written = Writings(own)
    differences = _of_agencies(written, taken) | _of_cases(written.cases_told(), filled)
    return Accounts(ledgers, differences | _of_recipients(written, deliveries, gone))


def _of_agencies(written: Writings, taken: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """What agencies were told is taken, against the journal's records by sender and receipt."""
    told: Counter[tuple[str, str]] = Counter()
    for one in written.accepted():
        told[one.agency, one.receipt] += one.rows if one.door == "files" else 1
    return {
        "accepted and not in the journal": sum((told - Counter(taken)).values()),
        "in the journal and never acknowledged to its agency": sum((Counter(taken) - told).values()),
    }


def _of_cases(told: int, filled: int) -> dict[str, int]:
    """Cases the case API told, against the pointers that were filled. Each is asked for until it is told, and once."""
    return {
        "told by the case API and with no record": max(0, told - filled),
        "filled and never told by the case API": max(0, filled - told),
    }


def _of_recipients(written: Writings, deliveries: Mapping[tuple[str, str], bool], gone: Counter[str]) -> dict[str, int]:
    """What recipients got, against the ledger of deliveries."""
    hashes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in written.seen():
        hashes[one.recipient, one.delivery].add(one.hash)
    applied = written.applied()
    events = {(one.recipient, one.delivery): one.event for one in applied}
    unknown = Counter(events.get(place, str(uuid.UUID(int=0))) for place in hashes if place not in deliveries)
    effects = Counter((one.recipient, one.delivery) for one in applied)
    return {
        "arrived and not in the ledger of deliveries": sum((unknown - gone).values()),
        "offered and never arrived": sum(offered and place not in hashes for place, offered in deliveries.items()),
        "had more than one effect": sum(count - 1 for count in effects.values()),
        "arrived with different bodies": sum(len(several) - 1 for several in hashes.values()),
    }
