"""Deliveries: the queue the courier works on, and what came of its attempts.

What is queued is found in `queued`, which is empty most of the time, and a plan made then must not read all deliveries
once there are many. So deliveries, bodies and keys are found one by one and by index, in subqueries that no plan can
turn into a join.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import Clock
from gateway.delivery.delivery import Delivery
from gateway.delivery.settlement import Settlement
from gateway.store.session import Session, session
from gateway.store.statement import Statement

_LOCKS = 7130004
"""The first half of the advisory lock of a recipient; the second is a hash of its name."""

_PRESENCE = 7130005
"""An advisory lock that every courier process shares, so that they can be counted."""


_COLUMNS = """
    d.id, d.recipient, d.position, d.person_id, d.record_id, d.kind, d.change, d.role, d.created, d.trace, d.attempts,
    d.next, d.tried,
    case when :bodies then (select b.sealed from bodies b where b.record_id = d.record_id and b.id = d.id) end
        as sealed,
    (select k.wrapped from data_keys k where k.record_id = d.record_id) as wrapped
"""

_THERE = """cross join lateral (
        select * from deliveries d
        where d.recipient = q.recipient and d.position = q.position and d.state = 'queued' limit 1
    ) d"""
"""The delivery of a row of the queue, `q`."""

_PAGE = Statement(
    f"""
    select {_COLUMNS} from queued q {_THERE}
    where q.recipient = :recipient and q.position > :after
    order by q.position limit :most
    """  # noqa: S608 - columns of ours
)
"""A page of a recipient's queue, in order of positions."""

_LANES = Statement(
    f"""
    with theirs as materialized (
        select * from queued where person_id = any(cast(:persons as uuid[]))
    ), numbered as (
        select *, row_number() over (partition by person_id order by position) as n from theirs
        where recipient = :recipient and position <= :upto
    )
    select {_COLUMNS} from numbered q {_THERE} where q.n <= :most order by q.position
    """  # noqa: S608 - columns of ours
)
"""What these persons have queued up to a position, so many each. Persons first: a recipient's queue can be long."""

_HEAD = Statement(
    f"""
    with firsts as materialized (
        select distinct on (person_id) recipient, position
        from (select * from queued where recipient = :recipient offset 0) q
        where person_id <> all(cast(:blocked as uuid[]))
        order by person_id, position
    ), heads as (
        select d.id, d.position, coalesce(d.next, d.created) as due from firsts q {_THERE}
    )
    select {_COLUMNS} from deliveries d where d.id = (select id from heads order by due, position limit 1)
    """  # noqa: S608 - columns of ours
)
"""The head of a lane that has waited longest: the trial of an open circuit.

One that just failed is due later than all others, so trials go round.
"""

_PARKED = Statement(
    """
    select person_id, min(position) as first from deliveries
    where recipient = :recipient and state = 'parked' and owner is not null group by 1
    """
)

_FORGIVE = Statement(
    f"""
    update deliveries set next = null
    where next is not null and state = 'queued'
      and id = any(array(select d.id from queued q {_THERE} where q.recipient = :recipient))
    """  # noqa: S608 - a text of ours
)
"""Makes due now what waits: the recipient was down, and is back."""

_SETTLE = Statement(
    """
    with told as (
        select * from unnest(
            cast(:ids as uuid[]), cast(:recipients as text[]), cast(:positions as bigint[]), cast(:states as text[]),
            cast(:numbers as int[]), cast(:started as timestamptz[]), cast(:ended as timestamptz[]),
            cast(:milliseconds as int[]), cast(:outcomes as text[]), cast(:statuses as smallint[]),
            cast(:nexts as timestamptz[]), cast(:reasons as text[]), cast(:owners as text[]),
            cast(:dues as timestamptz[]), cast(:kept as boolean[])
        ) as t (id, recipient, position, state, number, started, ended, milliseconds, outcome, status, next, reason,
                owner, due, kept)
    ), gone as (
        delete from queued where ctid = any(array(
            select q.at from told t cross join lateral (
                select q.ctid as at from queued q where q.recipient = t.recipient and q.position = t.position limit 1
            ) q where t.state <> 'queued'
        ))
    ), noted as (
        insert into attempts (delivery_id, number, started, milliseconds, outcome, status)
        select id, number, started, milliseconds, outcome, status from told where kept
        on conflict do nothing
    )
    update deliveries d
    set state = t.state, attempts = t.number, next = t.next, tried = coalesce(d.tried, t.started),
        reason = t.reason, owner = t.owner, due = t.due,
        offered = case when t.state = 'offered' then t.ended else d.offered end
    from told t
    where d.id = t.id and d.state = 'queued'
    """
)
"""Settles a batch. What is no longer queued (read from the mailbox, answered, withdrawn) keeps the state it has."""

_TRY = Statement(
    """
    select recipient from unnest(cast(:recipients as text[])) as r (recipient)
    where pg_try_advisory_lock(:locks, hashtext(recipient)) limit :most
    """
)
"""Tries one after the other and stops at the limit: nothing is sorted, so no lock is taken that is not returned."""

_GIVE_UP = Statement("select pg_advisory_unlock(:locks, hashtext(:recipient))")

_APPEAR = Statement("select pg_advisory_lock_shared(:presence, 0)")

_PRESENT = Statement(
    """
    select count(*) from pg_locks
    where locktype = 'advisory' and granted and classid = :presence and objsubid = 2
      and database = (select oid from pg_database where datname = current_database())
    """
)


class Queue:
    """One recipient's queue, to be read. bodies: whether its bodies are wanted too.

    Each read is one statement, and so one question and one answer: nothing begins or ends a transaction around it.
    """

    def __init__(self, engine: AsyncEngine, recipient: str, clock: Clock, *, bodies: bool) -> None:
        self._engine = engine
        self._clock = clock
        self._told = {"recipient": recipient, "bodies": bodies}

    async def page(self, after: int, most: int) -> list[Delivery]:
        """The next queued deliveries after a position."""
        return await self._read(_PAGE, {"after": after, "most": most})

    async def of(self, persons: Sequence[UUID], upto: int, most: int) -> list[Delivery]:
        """What these persons have queued up to a position, at most so many each, in order of positions."""
        return await self._read(_LANES, {"persons": list(persons), "upto": upto, "most": most})

    async def head(self, blocked: Iterable[UUID]) -> Delivery | None:
        """The delivery to try an open circuit with, of nobody who is blocked; None when there is none."""
        found = await self._read(_HEAD, {"blocked": list(blocked)})
        return found[0] if found else None

    async def parked(self) -> dict[UUID, int]:
        """The persons with a parked delivery, and the position of the first."""
        async with session(self._engine) as opened:
            return dict(await opened.rows(_PARKED, self._told))

    async def forgive(self) -> None:
        """Make everything that is queued due now."""
        async with session(self._engine) as opened:
            await opened.run(_FORGIVE, self._told)

    async def _read(self, statement: Statement, told: dict[str, object]) -> list[Delivery]:
        async with session(self._engine) as opened:
            rows = await opened.rows(statement, {**self._told, **told})
        now = self._clock()
        return [Delivery(*row, read=now) for row in rows]  # the columns are the fields, in this order


async def settle(session: Session, batch: Sequence[Settlement]) -> None:
    """Write what came of these attempts, in one statement."""
    await session.run(
        _SETTLE,
        {
            "ids": [one.delivery.id for one in batch],
            "recipients": [one.delivery.recipient for one in batch],
            "positions": [one.delivery.position for one in batch],
            "states": [one.state for one in batch],
            "numbers": [one.number for one in batch],
            "started": [one.started for one in batch],
            "ended": [one.ended for one in batch],
            "milliseconds": [one.milliseconds for one in batch],
            "outcomes": [one.outcome for one in batch],
            "statuses": [one.status for one in batch],
            "nexts": [one.next for one in batch],
            "reasons": [one.reason for one in batch],
            "owners": [one.owner for one in batch],
            "dues": [one.due for one in batch],
            "kept": [one.worth_keeping for one in batch],
        },
    )


async def appear(session: Session) -> None:
    """Count among the courier processes, until this session ends."""
    await session.rows(_APPEAR, {"presence": _PRESENCE})


async def present(session: Session) -> int:
    """How many courier processes there are."""
    return int(await session.value(_PRESENT, {"presence": _PRESENCE}))


async def try_recipients(session: Session, recipients: Iterable[str], most: int) -> list[str]:
    """Take the locks of at most so many recipients nobody else has; they are this session's until it ends."""
    told = {"locks": _LOCKS, "recipients": list(recipients), "most": most}
    return [recipient for (recipient,) in await session.rows(_TRY, told)]


async def give_up(session: Session, recipient: str) -> None:
    """Leave a recipient to others."""
    await session.rows(_GIVE_UP, {"locks": _LOCKS, "recipient": recipient})
