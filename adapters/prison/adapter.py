"""HMPPS domain events, with the prisoner search snapshot attached where it was fetched, as imprisonment events.

The events are pointers meant for services that can ask back. What they carry is told at once; what they only point at
waits until somebody attaches it.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from adapters import claims, drift, ndjson
from adapters.base import Adapter, CodeTable, Finding, Held, Ignored, Message, Outcome, Refused
from adapters.hmpps.api import source_of
from adapters.hmpps.envelope import LONGEST, Faulty, Opened
from adapters.prison import codes, merge, movement, need, rules, sentence
from adapters.prison.envelope import open_envelope
from adapters.prison.fetch import fetch_prisoner
from adapters.prison.movement import Family, Reasons, Way
from adapters.prison.record import read_record, told_or_held
from adapters.prison.wire import DomainEvent, MergeEvent, MovementEvent
from schemas.imprisonment import ReceptionReason, ReleaseReason

NAME: Final = "prison"

MOVEMENTS: Final[Mapping[str, tuple[Family, Way]]] = {
    "prison-offender-events.prisoner.received": (Family.DELAYED, Way.IN),
    "prison-offender-events.prisoner.released": (Family.DELAYED, Way.OUT),
    "prisoner-offender-search.prisoner.received": (Family.IMMEDIATE, Way.IN),
    "prisoner-offender-search.prisoner.released": (Family.IMMEDIATE, Way.OUT),
}
MERGE: Final = "prison-offender-events.prisoner.merged"
DATES: Final = frozenset(
    {"prison-offender-events.prisoner.sentence-dates-changed", "calculate-release-dates.prisoner.changed"}
)
STATUS: Final = "prison-offender-events.prisoner.imprisonment-status-changed"
NEED_IDENTIFIED: Final = "prison-drug-team.need.identified"
NEED_WITHDRAWN: Final = "prison-drug-team.need.withdrawn"

SUBSCRIBED: Final = frozenset({*MOVEMENTS, MERGE, *DATES, STATUS, NEED_IDENTIFIED, NEED_WITHDRAWN})
"""Every eventType we read, of both families; contracts/inbound/prison/subscribed.toml says why."""

_VERSIONS: Final = frozenset({"1", "1.0"})


def build(options: Mapping[str, str]) -> Adapter:
    """The prison feed of one installation.

    Options: `family`, the movements to take (`delayed`, the default, or `immediate`); `release_reason.<CODE>` and
    `reception_reason.<CODE>`, the meaning of a NOMIS movement reason code we do not know yet; `prisoner_search`,
    `token_url`, `client_id` and `client_secret_file`, all four, where prisoners are to be fetched. Raises ValueError
    for an option or a value that is none, and OSError for a secret that cannot be read.
    """
    family = Family.DELAYED
    admission = dict(codes.ADMISSION_REASONS)
    release = dict(codes.RELEASE_REASONS)
    asked: dict[str, str] = {}
    for option, value in options.items():
        match option.partition("."):
            case ("family", "", ""):
                family = Family(value)
            case ("release_reason", ".", code) if code:
                release[code] = ReleaseReason(value)
            case ("reception_reason", ".", code) if code:
                admission[code] = ReceptionReason(value)
            case (("prisoner_search" | "token_url" | "client_id" | "client_secret_file"), "", ""):
                asked[option] = value
            case _:
                raise ValueError(f"the prison adapter has no option {option!r}")
    reasons = Reasons(
        CodeTable("prison.received.nomisMovementReasonCode", admission),
        CodeTable("prison.released.nomisMovementReasonCode", release),
    )
    source = source_of(asked, "prisoner_search")
    return Adapter(
        name=NAME,
        read=partial(read, family, reasons),
        rules={**rules.RULES, **claims.RULES, **drift.RULES},
        records=frozenset({"application/json"}),
        files={"application/x-ndjson": ndjson.rows(LONGEST)},
        fetch=partial(fetch_prisoner, source) if source is not None else None,
        code_options={reasons.admission.name: "reception_reason", reasons.release.name: "release_reason"},
    )


def read(family: Family, reasons: Reasons, message: Message) -> Outcome:
    """Read one record."""
    try:
        opened = open_envelope(message)
        if isinstance(opened, Ignored):
            return opened
        return _subscribed(opened, family, reasons, message)
    except Faulty as faulty:
        return Refused(faulty.findings)


def _subscribed(opened: Opened, family: Family, reasons: Reasons, message: Message) -> Outcome:
    if opened.type not in SUBSCRIBED or MOVEMENTS.get(opened.type, (family,))[0] is not family:
        return Ignored(opened.type)
    if _unknown_version(opened.event.get("version")):
        return Held("version_not_supported", (*opened.findings, Finding(rules.VERSION_NOT_SUPPORTED, "version")))
    if opened.type == NEED_IDENTIFIED:
        return need.identified(opened, message.received)
    if opened.type == NEED_WITHDRAWN:
        return need.withdrawn(opened)
    if opened.type in MOVEMENTS:
        way = MOVEMENTS[opened.type][1]
        moved = read_record(opened, MovementEvent, message.received)
        return told_or_held(moved, lambda: movement.translate(opened.type, moved, family, way, reasons))
    if opened.type == MERGE:
        return merge.translate(read_record(opened, MergeEvent, message.received))
    changed = read_record(opened, DomainEvent, message.received)
    tell = sentence.status if opened.type == STATUS else sentence.dates
    return told_or_held(changed, lambda: tell(changed))


def _unknown_version(version: object) -> bool:
    """Whether this is a version, and not ours. One that is missing or of another type is a fault of the record."""
    return isinstance(version, int | float | str) and not isinstance(version, bool) and str(version) not in _VERSIONS
