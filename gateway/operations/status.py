"""`lgw status`: one line a question, the worst first to be seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.operations.reconcile import Ledgers, reconcile

_OLDEST = text(
    """
    select min(since) from (
        select min(coalesce(e.due, e.recorded)) as since
        from outbox o join events e on e.id = o.event_id where o.due is null or o.due <= now()
        union all
        select min(coalesce(e.due, e.recorded)) from undecided u join events e on e.seq = u.seq
        where not exists (select from outbox o where o.seq = u.seq)
        union all
        select min(d.created) from queued q join deliveries d using (recipient, position)
    ) as stages
    """
)

_SETTLING = text("select count(*) as total, min(due) as next from outbox where due > :now")

_HELD = text(
    """
    select reason, owner, count(*) as total, min(since) as oldest,
           count(*) filter (where due < now() and again is null) as overdue, count(again) as asked, min(again) as again
    from (
        select r.reason, r.owner, r.received as since, r.due, case r.state when 'waiting' then f.next end as again
        from records r left join fillings f on f.record_id = r.id where r.state in ('held', 'waiting')
        union all
        select reason, owner, since, due, null from holds where released is null
        union all
        select reason, owner, since, due, null from quarantine where released is null
        union all
        select d.reason, d.owner, d.decided, d.due, null from decisions d
        where d.state = 'held' and not exists (select from decisions later
                                               where later.record_id = d.record_id and later.event_id = d.event_id
                                                 and later.number > d.number)
          and not exists (select from holds h where h.event_id = d.event_id)
          and not exists (select from quarantine q where q.event_id = d.event_id and q.released is null)
    ) as stopped group by reason, owner order by count(*) desc, reason
    """
)

_PARKED = text(
    """
    select state, coalesce(reason, '') as reason, coalesce(owner, '') as owner, count(*) as total,
           min(created) as oldest, count(*) filter (where due < now()) as overdue
    from deliveries where state in ('parked', 'rejected') and owner is not null group by 1, 2, 3 order by count(*) desc
    """
)

_RECIPIENTS = text(
    """
    select recipient, count(*) filter (where state = 'queued') as queued, min(created) filter (where state = 'queued')
           as oldest, count(*) filter (where state = 'offered') as unacknowledged,
           coalesce(max(attempts) filter (where state = 'queued'), 0) as attempts
    from deliveries where state in ('queued', 'offered') group by recipient order by recipient
    """
)

_SENDERS = text(
    """
    select sender, max(received) as last, count(*) filter (where received > now() - interval '1 day') as today
    from records where received > now() - interval '28 days' group by sender order by sender
    """
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What has stopped, by cause.

    asked: how many of them are pointers whose source is asked again by itself, again: the first of these at that time.
    """

    reason: str
    owner: str
    count: int
    oldest: datetime
    overdue: int
    asked: int = 0
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """One recipient's queue. attempts: the most any queued delivery has had, so 0 means none has failed."""

    recipient: str
    queued: int
    oldest: datetime | None
    unacknowledged: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Sender:
    """One sender, and when it was last heard."""

    sender: str
    last: datetime
    today: int


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the whole, at one instant.

    settling: how many events wait for the time in which a source may yet reverse them. settles: when the next is told.
    """

    now: datetime
    ledgers: Ledgers
    oldest: datetime | None
    held: tuple[Stopped, ...]
    parked: tuple[Stopped, ...]
    recipients: tuple[Backlog, ...]
    senders: tuple[Sender, ...]
    settling: int = 0
    settles: datetime | None = None

    def lines(self) -> list[tuple[str, str]]:
        """A label and a sentence for each line, in the order they are shown."""
        return [
            ("Unaccounted for", str(self.ledgers.unaccounted) + self._differences()),
            ("Oldest not yet offered", _age(self.now, self.oldest)),
            ("Settling", self._settling()),
            ("Held", _stopped(self.now, self.held)),
            ("Parked", _stopped(self.now, self.parked)),
            ("Recipients", self._recipients()),
            ("Senders", self._senders()),
        ]

    def as_json(self) -> Mapping[str, object]:
        """The same as plain data."""
        return {
            "now": self.now.isoformat(),
            "unaccounted": self.ledgers.unaccounted,
            "differences": dict(self.ledgers.differences),
            "in_flight": self.ledgers.in_flight,
            "records": dict(self.ledgers.records),
            "events": dict(self.ledgers.events),
            "deliveries": dict(self.ledgers.deliveries),
            "oldest_not_offered": self.oldest.isoformat() if self.oldest else None,
            "settling": {"count": self.settling, "next": self.settles.isoformat() if self.settles else None},
            "held": [_plain(one) for one in self.held],
            "parked": [_plain(one) for one in self.parked],
            "recipients": [
                {
                    "recipient": one.recipient,
                    "queued": one.queued,
                    "oldest": one.oldest.isoformat() if one.oldest else None,
                    "unacknowledged": one.unacknowledged,
                }
                for one in self.recipients
            ],
            "senders": [
                {"sender": one.sender, "last": one.last.isoformat(), "today": one.today} for one in self.senders
            ],
        }

    def _differences(self) -> str:
        told = [f"{name.replace('_', ' ')} {count}" for name, count in self.ledgers.differences.items() if count]
        return f"  Investigate: {', '.join(told)}" if told else ""

    def _settling(self) -> str:
        if self.settles is None:
            return "none"
        return f"{self.settling}, the next in {_age(self.settles, self.now)}"

    def _recipients(self) -> str:
        behind = [one for one in self.recipients if one.queued]
        if not behind:
            waiting = sum(one.unacknowledged for one in self.recipients)
            return f"all caught up · {waiting} not yet acknowledged"
        return " · ".join(f"{one.recipient}: {one.queued} queued, {_age(self.now, one.oldest)}" for one in behind)

    def _senders(self) -> str:
        if not self.senders:
            return "nothing received yet"
        return " · ".join(f"{one.sender}: {_age(self.now, one.last)} ago, {one.today} today" for one in self.senders)


async def read_status(connection: AsyncConnection, now: datetime) -> Status:
    """Read it. The connection must not be inside a transaction yet."""
    ledgers = await reconcile(connection)
    oldest = (await connection.execute(_OLDEST)).scalar_one()
    settling = (await connection.execute(_SETTLING, {"now": now})).one()
    held = [
        Stopped(row.reason, row.owner, row.total, row.oldest, row.overdue, row.asked, row.again)
        for row in await connection.execute(_HELD)
    ]
    parked = [
        Stopped(row.reason or row.state, row.owner, row.total, row.oldest, row.overdue)
        for row in await connection.execute(_PARKED)
    ]
    recipients = [
        Backlog(row.recipient, row.queued, row.oldest, row.unacknowledged, row.attempts)
        for row in await connection.execute(_RECIPIENTS)
    ]
    senders = [Sender(row.sender, row.last, row.today) for row in await connection.execute(_SENDERS)]
    await connection.rollback()
    return Status(
        now,
        ledgers,
        oldest,
        tuple(held),
        tuple(parked),
        tuple(recipients),
        tuple(senders),
        settling=settling.total,
        settles=settling.next,
    )


def _plain(one: Stopped) -> dict[str, object]:
    return {
        "reason": one.reason,
        "owner": one.owner,
        "count": one.count,
        "oldest": one.oldest.isoformat(),
        "overdue": one.overdue,
        "asked": one.asked,
        "again": one.again.isoformat() if one.again else None,
    }


def _stopped(now: datetime, stopped: tuple[Stopped, ...]) -> str:
    if not stopped:
        return "0"
    total = sum(one.count for one in stopped)
    told = " · ".join(
        f"{one.count} {one.reason} ({one.owner}, oldest {_age(now, one.oldest)}"
        + (f", {one.overdue} overdue" if one.overdue else "")
        + (f", {one.asked} asked for again in {_age(one.again, now)}" if one.again else "")
        + (" or later" if one.asked > 1 else "")
        + ")"
        for one in stopped
    )
    return f"{total}  {told}"


def _age(now: datetime, since: datetime | None) -> str:
    """Hours, minutes and seconds, with days in front where there are any; "none" for nothing."""
    if since is None:
        return "none"
    seconds = max(int((now - since).total_seconds()), 0)
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock
