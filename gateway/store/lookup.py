"""Looking a batch up before it is decided: one statement, which also locks the persons it may be about.

It is made under the locks of the batch's keys and lanes (`locks_of`), so that nobody can add to what it tells before
the transaction ends.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.identity.keys import Key, Rule
from gateway.identity.match import Known
from gateway.store.session import Session
from gateway.store.statement import Statement

# What else is known of a person matters only where a lane leads to them. A version that was overtaken before it was
# published was decided to be about nobody; the one before it tells. Settling events are not due to be decided yet,
# unless they have come all the same. Whether an event was decided before is only asked of one that is not undecided: of
# what comes again. What is in both tables, against all rules, fails at the key of its second decision. What a chain
# leads to and what a lane holds is found one by one (lateral, offset 0): joined, it would be planned as if tables were
# always as small as then, and read from end to end.
_LOOK_UP = Statement(
    """
    with recursive chain (start, id, record_id, supersedes, depth) as (
        select e.id, e.id, e.record_id, e.supersedes, 0
        from unnest(cast(:before as uuid[])) as t(id)
        cross join lateral (select * from events e where e.id = t.id limit 1) e
        union all
        select c.start, e.id, e.record_id, e.supersedes, c.depth + 1
        from chain c cross join lateral (select * from events e where e.id = c.supersedes limit 1) e
    ), predecessor as materialized (
        select distinct on (c.start) c.start, d.person_id
        from chain c cross join lateral (
            select * from decisions d where d.record_id = c.record_id and d.event_id = c.id offset 0
        ) d
        where d.person_id is not null
        order by c.start, c.depth, d.number desc
    ), known as materialized (
        select k.key, k.rule, k.person_id from person_keys k where k.key = any(cast(:keys as bytea[]))
    ), person as materialized (
        select p.id, p.provisional from persons p
        where p.id = any(array(select person_id from known union select person_id from predecessor))
        order by p.id for update
    ), undecided_there as materialized (
        select u.*, exists (
            select from outbox o where o.seq = u.seq and o.due > :now offset 0
        ) as settling
        from unnest(cast(:lanes as bytea[])) as t(lane)
        cross join lateral (select * from undecided u where u.lane = t.lane offset 0) u
    )
    select array(
        select row(k.key, k.rule, k.person_id, case when k.rule = 'lane' then array(
            select x.rule from person_keys x where x.person_id = k.person_id
        ) end)
        from known k
    ), array(
        select row(p.id, p.provisional) from person p
    ), array(
        select row(p.start, p.person_id) from predecessor p
    ), array(
        select t.id from unnest(cast(:events as uuid[]), cast(:records as uuid[])) as t(id, record_id)
        where t.id not in (select event_id from undecided_there) and exists (
            select from decisions d where d.record_id = t.record_id and d.event_id = t.id offset 0
        )
    ), array(
        select row(u.event_id, u.lane) from undecided_there u
        where not u.settling or u.event_id = any(cast(:events as uuid[])) order by u.seq
    )
    """
)


_RULES = {rule.value: rule for rule in Rule}


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What is known of a batch.

    known: whoever its keys and lanes lead to. persons: everybody it may be about, locked, and whether each only stands
    in. predecessors: by event that one of the batch corrects or takes back, the person it was decided to be about.
    decided: those of the batch that were. undecided: what nobody has decided yet in its lanes, and the lane of each, in
    the order of their commits; settling events of others left out.
    """

    known: Known
    persons: Mapping[uuid.UUID, bool]
    predecessors: Mapping[uuid.UUID, uuid.UUID]
    decided: frozenset[uuid.UUID]
    undecided: Sequence[tuple[uuid.UUID, bytes]]


def locks_of(keys: Iterable[bytes]) -> list[int]:
    """The advisory locks of these keys and lanes.

    Without them two transactions would each make a person of the same stranger. One lock a key, so
    `max_locks_per_transaction` bounds how many keys can be under way at once.
    """
    return [int.from_bytes(key[:8], signed=True) for key in keys]


async def look_up(
    session: Session,
    *,
    events: Mapping[uuid.UUID, uuid.UUID],
    before: Iterable[uuid.UUID],
    keys: Iterable[bytes],
    lanes: Iterable[bytes],
    now: datetime,
) -> LookedUp:
    """Look up these events, with the keys and lanes they tell.

    events: by their ids, the record of each. before: the events that they correct or take back.
    """
    lanes = list(lanes)
    told = {
        "events": list(events),
        "records": list(events.values()),
        "before": list(before),
        "keys": [*keys, *lanes],
        "lanes": lanes,
        "now": now,
    }
    led, persons, predecessors, decided, undecided = await session.row(_LOOK_UP, told)
    # Of predecessors' persons too: what corrects an event about a stand-in gives it no keys either.
    known = Known(provisional={person for person, provisional in persons if provisional})
    for key, rule, person, others in led:
        known.learn(Key(_RULES[rule], key), person)
        if others:
            known.rules[person].update(map(_RULES.__getitem__, others))
    return LookedUp(
        known, dict(persons), dict(predecessors), frozenset(decided), [(event, lane) for event, lane in undecided]
    )
