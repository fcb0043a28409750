"""A request for a service, of the Booking and Referral Standard, as a referral, its correction or its withdrawal."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from adapters.base import Accepted, Finding, Held, Ignored, Level, Message, Outcome, Refused, Rule, UnknownCode
from adapters.gp.faulty import Faulty
from adapters.gp.fhir import codes, rules
from adapters.gp.fhir.bundle import Bundle, open_bundle
from adapters.gp.fhir.codes import Step
from adapters.gp.fhir.patient import nhs_numbers, organisation_of, person_of, requester_of, sensitivity_of
from adapters.gp.fhir.wire import Concept, Condition, HealthcareService, Patient, Reference, ServiceRequest
from adapters.gp.services import Services
from adapters.local_time import Told, day_moment, read_day, read_moment
from schemas.base import Fact, Precision
from schemas.care import Referred
from schemas.identifiers import Identifier

KIND: Final = "care.referred"

TARGET: Final = "nhsd-target-service"
"""The attribute of a message that holds the service its transport was told to bring it to."""

SLACK: Final = timedelta(days=1)
"""How far a sender's clock may run ahead before its message is taken for a mistake."""

_REASON: Final = re.compile(r"[A-Za-z0-9.]{1,18}", re.ASCII)
_PRINTABLE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def fact_key(ods: str, reference: str) -> str:
    """The key of a referral: who sent it, by its ODS code, and its own id."""
    return f"gp:referral:{ods}:{reference}"


def read_bundle(services: Services, message: Message) -> Outcome:
    """Read one message bundle."""
    try:
        return _requested(open_bundle(message), services, message)
    except Faulty as faulty:
        return Refused(faulty.findings)


def _requested(bundle: Bundle, services: Services, message: Message) -> Outcome:
    """What is not a referral to a service of ours is ignored before anything of its patient is read."""
    event = bundle.header.event_coding.code
    if event is None:
        raise Faulty([Finding(rules.MISSING, "MessageHeader.eventCoding.code")])
    if event != codes.REQUEST:
        return Ignored(f"bars.{event}" if event in codes.EVENTS else "bars.event-not-subscribed")
    request, focus = _focus(bundle)
    category = _category(request.category)
    if category not in {None, codes.REFERRAL}:
        known = category if category in codes.CATEGORIES else "category-not-subscribed"
        return Ignored(f"bars.{codes.REQUEST}.{known}")
    named = tuple(_services(bundle, request))
    if not named:
        raise Faulty([Finding(rules.MISSING, "MessageHeader.destination.endpoint")])
    service = services.ours(named)
    if service is None:
        return Ignored(f"bars.{codes.REQUEST}.another-service")
    target = message.attributes.get(TARGET)
    odd = [] if target is None or target in named else [Finding(rules.ANOTHER_TARGET, "NHSD-Target-Identifier")]
    return _Referral(bundle, request, focus, service, message, odd).outcome()


def _focus(bundle: Bundle) -> tuple[ServiceRequest, Reference]:
    if len(bundle.header.focus) != 1:
        raise Faulty([Finding(rules.MALFORMED if bundle.header.focus else rules.MISSING, "MessageHeader.focus")])
    focus = bundle.header.focus[0]
    request = bundle.find(focus, ServiceRequest, "MessageHeader.focus")
    if request is None:
        raise Faulty([Finding(rules.DANGLING, "MessageHeader.focus")])
    return request, focus


def _category(categories: Iterable[Concept]) -> str | None:
    given = (concept.code_of("message-category-servicerequest") for concept in categories)
    return next((code for code in given if code is not None), None)


def _services(bundle: Bundle, request: ServiceRequest) -> Iterable[str]:
    """The services a message names, by the header that routes it and by who is asked to perform it."""
    for destination in bundle.header.destination:
        if destination.endpoint is not None:
            yield destination.endpoint.rpartition("|")[2]
    for performer in request.performer:
        asked = bundle.find(performer, HealthcareService, "ServiceRequest.performer")
        for identifier in asked.identifier if asked is not None else ():
            if identifier.is_of("dos-service-id") and identifier.value is not None:
                yield identifier.value


class _Referral:
    """One referral to a service of ours, being read. found: what was odd about it so far."""

    def __init__(
        self,
        bundle: Bundle,
        request: ServiceRequest,
        focus: Reference,
        service: str,
        message: Message,
        found: list[Finding],
    ) -> None:
        self._bundle = bundle
        self._request = request
        self._focus = focus
        self._service = service
        self._message = message
        self._found = found

    def outcome(self) -> Accepted | Held:
        """What it tells. Raises Faulty with every fault."""
        sender = organisation_of(self._bundle, self._bundle.header.sender, "MessageHeader.sender", self._found)
        reference = self._bundle.id_of(self._focus)
        if sender is None or sender.ods is None or reference is None:
            raise Faulty([Finding(rules.SENDER_UNKNOWN, "MessageHeader.sender")])
        patient = self._bundle.find(self._request.subject, Patient, "ServiceRequest.subject")
        own = f"REFERRAL:{sender.ods}/{reference}"
        try:
            fact = self._fact(fact_key(sender.ods, reference), own, reference, patient)
        except UnknownCode as unknown:
            self._stop_if_faulty()
            detail = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
            found = (*self._found, Finding(rules.CODE_NOT_MAPPED, unknown.table, detail))
            return Held("code_not_mapped", found, _lane(_numbers(patient), own))
        return Accepted((fact,), tuple(self._found))

    def _fact(self, key: str, own: str, reference: str, patient: Patient | None) -> Fact:
        """What it states. own: the lane of the referral itself, where its patient has none."""
        version = self._version()
        follows, step = self._follows(), self._step()
        if step is not Step.STANDS:
            if not follows:
                self._fault(rules.NEW_AND_REVOKED, "ServiceRequest.status")
            self._stop_if_faulty()
            lane = _lane(_numbers(patient), own)
            return Fact(key, lane, KIND, None, version, codes.WITHDRAWN[step], follows=follows)
        event = self._referred(reference, patient)
        return Fact(key, _lane(event.person.identifiers, own), KIND, event, version, follows=follows)

    def _referred(self, reference: str, patient: Patient | None) -> Referred:
        found = self._found
        told = self._authored()
        if _category(self._request.category) is None:
            self._fault(rules.MISSING, "ServiceRequest.category")
        if patient is None:
            self._fault(rules.DANGLING, "ServiceRequest.subject")
            raise Faulty(self._faults())
        person = person_of(patient, self._message.received.date(), found)
        self._stop_if_faulty()
        priority = self._request.priority
        practice = next(iter(patient.general_practitioner), None)
        return Referred(
            occurred=told.moment,
            person=person,
            sensitivity=sensitivity_of(patient),
            reference=reference,
            service=self._service,
            urgency=codes.URGENCIES[priority] if priority is not None else None,
            reasons=tuple(dict.fromkeys(self._reasons())),
            requester=requester_of(self._bundle, self._request.requester, found),
            practice=organisation_of(self._bundle, practice, "Patient.generalPractitioner", found),
        )

    def _fault(self, rule: Rule, field: str) -> None:
        self._found.append(Finding(rule, field))

    def _faults(self) -> list[Finding]:
        return [finding for finding in self._found if finding.rule.level is Level.REFUSE]

    def _stop_if_faulty(self) -> None:
        if faults := self._faults():
            raise Faulty(faults)

    def _follows(self) -> bool:
        reason = self._bundle.header.reason
        code = next((coding.code for coding in reason.coding), None) if reason is not None else None
        if code is None:
            self._fault(rules.MISSING, "MessageHeader.reason")
            return True
        return codes.FOLLOWS[code]

    def _step(self) -> Step:
        if self._request.status is None:
            self._fault(rules.MISSING, "ServiceRequest.status")
            return Step.STANDS
        return codes.STATUSES[self._request.status]

    def _version(self) -> int | None:
        """When the referral was last changed, in milliseconds; `meta.versionId` is the standard's and not its own."""
        written = self._request.meta.last_updated or self._bundle.updated
        told = read_moment(written) if isinstance(written, str) else None
        if told is None:
            if written is not None:
                self._fault(rules.MALFORMED, "ServiceRequest.meta.lastUpdated")
            return None
        if told.at > self._message.received + SLACK:  # it would make every later version an older one
            self._fault(rules.IN_THE_FUTURE, "ServiceRequest.meta.lastUpdated")
        return round(told.at.timestamp() * 1000)

    def _authored(self) -> Told:
        """When the clinician made the referral; when the message was made, if that is not said."""
        field, written = "ServiceRequest.authoredOn", self._request.authored_on
        if written is None:
            field, written = "Bundle.timestamp", self._bundle.timestamp
        told = _instant(written) if isinstance(written, str) else None
        if told is None:
            self._fault(rules.MISSING if written is None else rules.MALFORMED, field)
            return Told(self._message.received)
        if told.at > self._message.received + SLACK:
            self._fault(rules.IN_THE_FUTURE, field)
        if told.zone_assumed and told.precision is not Precision.DAY:
            self._fault(rules.ZONE_ASSUMED, field)
        if told.doubt is not None:
            self._found.append(Finding(rules.CLOCK_CHANGE, field, told.doubt.value))
        return told

    def _reasons(self) -> Iterable[str]:
        """Why the person is referred, as codes: those of the referral, and of the conditions it refers to."""
        concepts = [(f"ServiceRequest.reasonCode.{n}", one) for n, one in enumerate(self._request.reason_code)]
        for number, reference in enumerate(self._request.reason_reference):
            field = f"ServiceRequest.reasonReference.{number}"
            condition = self._bundle.find(reference, Condition, field)
            if condition is not None:
                concepts.append((field, condition.code))
        for field, concept in concepts:
            coded = [
                f"{codes.TERMINOLOGIES[coding.system]}:{coding.code}"
                for coding in concept.coding
                if coding.system is not None and coding.system in codes.TERMINOLOGIES
                if coding.code is not None and _REASON.fullmatch(coding.code)
            ]
            if not coded:
                self._found.append(Finding(rules.REASON_NOT_CODED, field))
            yield from coded


def _numbers(patient: Patient | None) -> Iterable[Identifier]:
    """The NHS numbers of a patient of whom nothing else is told."""
    return nhs_numbers(patient, []) if patient is not None else ()


def _lane(numbers: Iterable[Identifier], own: str) -> str:
    return next((f"NHS:{number.value}" for number in numbers if number.value is not None), own)


def _instant(written: str) -> Told | None:
    day = read_day(written)
    return Told.of(day_moment(day)) if day is not None else read_moment(written)
