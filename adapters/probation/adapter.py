"""HMPPS probation and licence events, with the probation case attached, as supervision events.

The events are pointers: they say that something happened to a case, and the case says what. It also says whether the
case is one of limited access, so nothing that a case may qualify is told without it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from adapters import claims, drift, ndjson
from adapters.base import Accepted, Adapter, Finding, Held, Ignored, Message, Outcome, Refused, UnknownCode
from adapters.hmpps.api import source_of
from adapters.hmpps.envelope import LONGEST, Faulty, Opened
from adapters.probation import enforcement, management, merge, need, requirement, rules, sentence
from adapters.probation.codes import Codes, Lodging, codes
from adapters.probation.envelope import open_envelope
from adapters.probation.fetch import fetch_case
from adapters.probation.record import CHECKS, Record, not_filled, read_record
from adapters.probation.snapshot import addresses_fact, person_of
from schemas.base import AddressKind, Fact, Person
from schemas.supervision import Requirement, Stage

NAME: Final = "probation"

Tell = Callable[[Record, Person, Codes], Fact | Held]
TakeBack = Callable[[Record], Fact | Held]

POINTERS: Final[Mapping[str, Tell]] = {
    "probation-case.supervision.created": lambda record, person, _: sentence.started(record, person),
    "probation-case.sentence.created": lambda record, person, _: sentence.started(record, person),
    "probation-case.sentence.amended": lambda record, person, _: sentence.started(record, person),
    "probation-case.sentence.terminated": lambda record, person, _: sentence.ended(record, person),
    "probation-case.requirement.created": requirement.started,
    "probation-case.requirement.terminated": requirement.ended,
    "enforcement.breach.raised": lambda record, person, _: enforcement.breached(record, person, Stage.RAISED),
    "enforcement.breach.concluded": lambda record, person, _: enforcement.breached(record, person, Stage.CONCLUDED),
    "enforcement.recall.raised": lambda record, person, _: enforcement.recalled(record, person, Stage.RAISED),
    "enforcement.recall.concluded": lambda record, person, _: enforcement.recalled(record, person, Stage.CONCLUDED),
    "create-and-vary-a-licence.licence.activated": lambda record, person, _: enforcement.licence_activated(
        record, person
    ),
    "person.community.manager.allocated": lambda record, person, _: management.manager_changed(record, person),
    "person.community.manager.transferred": lambda record, person, _: management.transferred(record, person),
}
"""What is told only with the case."""

ADDRESSES: Final = frozenset(
    {"probation-case.address.created", "probation-case.address.updated", "probation-case.address.deleted"}
)
"""All three say that the set of addresses is another; the case says which it is now."""

TAKEN_BACK: Final[Mapping[str, TakeBack]] = {
    "probation-case.sentence.deleted": lambda record: sentence.taken_back(record, sentence.STARTED, "deleted"),
    "probation-case.sentence.unterminated": lambda record: sentence.taken_back(record, sentence.ENDED, "reversed"),
    "probation-case.requirement.deleted": lambda record: requirement.taken_back(record, requirement.STARTED, "deleted"),
    "probation-case.requirement.unterminated": lambda record: requirement.taken_back(
        record, requirement.ENDED, "reversed"
    ),
}
"""What takes back an earlier fact; it tells nothing of the person, so it needs no case."""

MERGES: Final[Mapping[str, Callable[[Record], Accepted]]] = {
    "probation-case.merge.completed": merge.merged,
    "probation-case.unmerge.completed": merge.unmerged,
}
NEED_IDENTIFIED: Final = "probation-team.need.identified"
NEED_WITHDRAWN: Final = "probation-team.need.withdrawn"

SUBSCRIBED: Final = frozenset({*POINTERS, *ADDRESSES, *TAKEN_BACK, *MERGES, NEED_IDENTIFIED, NEED_WITHDRAWN})
"""Every eventType we read; contracts/inbound/probation/subscribed.toml says why."""

_VERSIONS: Final = frozenset({"1", "1.0"})


def build(options: Mapping[str, str]) -> Adapter:
    """The probation feed of one installation.

    Options: `requirement.<CODE>`, `address_status.<CODE>` and `address_type.<CODE>`, the meaning of a code of Delius;
    `case_api`, `token_url`, `client_id` and `client_secret_file`, all four, where cases are to be fetched. Raises
    ValueError for an option or a value that is none, and OSError for a secret that cannot be read.
    """
    requirements: dict[str, Requirement] = {}
    statuses: dict[str, AddressKind] = {}
    types: dict[str, Lodging] = {}
    asked: dict[str, str] = {}
    for option, value in options.items():
        match option.partition("."):
            case ("requirement", ".", code) if code:
                requirements[code] = Requirement(value)
            case ("address_status", ".", code) if code:
                statuses[code] = AddressKind(value)
            case ("address_type", ".", code) if code:
                types[code] = Lodging(value)
            case (("case_api" | "token_url" | "client_id" | "client_secret_file"), "", ""):
                asked[option] = value
            case _:
                raise ValueError(f"the probation adapter has no option {option!r}")
    source = source_of(asked, "case_api")
    known = codes(requirements, statuses, types)
    return Adapter(
        name=NAME,
        read=partial(read, known),
        rules={**rules.RULES, **claims.RULES, **drift.RULES},
        records=frozenset({"application/json"}),
        files={"application/x-ndjson": ndjson.rows(LONGEST)},
        fetch=partial(fetch_case, source) if source is not None else None,
        code_options={
            known.requirements.name: "requirement",
            known.statuses.name: "address_status",
            known.types.name: "address_type",
        },
    )


def read(known: Codes, message: Message) -> Outcome:
    """Read one record."""
    try:
        opened = open_envelope(message)
        if isinstance(opened, Ignored):
            return opened
        return _subscribed(opened, known, message)
    except Faulty as faulty:
        return Refused(faulty.findings)


def _subscribed(opened: Opened, known: Codes, message: Message) -> Outcome:
    if opened.type not in SUBSCRIBED:
        return Ignored(opened.type)
    if _unknown_version(opened.event.get("version")):
        return Held("version_not_supported", (*opened.findings, Finding(rules.VERSION_NOT_SUPPORTED, "version")))
    if opened.type == NEED_IDENTIFIED:
        return need.identified(opened, message.received)
    if opened.type == NEED_WITHDRAWN:
        return need.withdrawn(opened)
    record = read_record(opened, message.received)
    if record.snapshot is not None and not record.snapshot.says_access:
        return not_filled(record, "snapshot.currentRestriction")
    if opened.type in MERGES:
        return MERGES[opened.type](record)
    if opened.type in TAKEN_BACK:
        return _accepted(record.findings, TAKEN_BACK[opened.type](record))
    if record.snapshot is None:
        return not_filled(record, "snapshot")
    try:
        return _pointed(opened.type, record, known)
    except UnknownCode as unknown:
        return CHECKS.held_for(unknown, record.findings, record.lane)


def _pointed(name: str, record: Record, known: Codes) -> Accepted | Held:
    """What the case tells of the event, and where the person lives. Raises UnknownCode and Faulty.

    Addresses come first, so that home is known before a requirement opens a case.
    """
    found = list(record.findings)
    person = person_of(record, found)
    addresses = addresses_fact(record, known, person, found)
    if name in ADDRESSES:
        return _accepted(tuple(found), addresses if addresses is not None else not_filled(record, "snapshot.addresses"))
    told = POINTERS[name](record, person, known)
    return _accepted(tuple(found), *([addresses] if addresses is not None else []), told)


def _accepted(findings: tuple[Finding, ...], *told: Fact | Held) -> Accepted | Held:
    """All of what is told, or why one of it cannot be."""
    facts = []
    for one in told:
        if isinstance(one, Held):
            return one
        facts.append(one)
    return Accepted(tuple(facts), findings)


def _unknown_version(version: object) -> bool:
    """Whether this is a version, and not ours. One that is missing or of another type is a fault of the record."""
    return isinstance(version, int | float | str) and not isinstance(version, bool) and str(version) not in _VERSIONS
