"""BaRS messages as they are spelled, and no field more than a referral needs.

What is not named here is dropped while the resource is read: no telephone, no relative, no religion, no note and no
answer to a triage question ever becomes a value of ours. Lists are taken where FHIR has one value or many, because
the XML form does not tell them apart.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from adapters.base import Finding
from adapters.gp.fhir import rules


class Wire(BaseModel):
    """The base of every wire model: spelled in camel case, tolerant of what it does not know, silent on values."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=to_camel)


def _empty_is_absent(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _as_many(value: Any) -> Any:
    """One value or many, as many. Blank ones are none: some systems send every line an address could have."""
    if value is None:
        return ()
    many = value if isinstance(value, list) else [value]
    return [one for one in many if _empty_is_absent(one) is not None]


Part = TypeVar("Part")

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
MaybeText = Annotated[Text | None, BeforeValidator(_empty_is_absent)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
MaybeId = Annotated[Id | None, BeforeValidator(_empty_is_absent)]
Many = Annotated[tuple[Part, ...], BeforeValidator(_as_many)]


class Coding(Wire):
    """A code and whose it is."""

    system: MaybeText = None
    code: MaybeText = None


class Concept(Wire):
    """A CodeableConcept. Its text is free text, and not read."""

    coding: Many[Coding] = ()

    def code_of(self, system: str) -> str | None:
        """The code in a system named by the end of its address, which senders spell with http and https."""
        for coding in self.coding:
            if coding.system is not None and coding.system.rpartition("/")[2] == system:
                return coding.code
        return None


class Extension(Wire):
    """An extension whose value is a concept."""

    url: MaybeText = None
    value_codeable_concept: Concept | None = None


class Identifier(Wire):
    """An identifier and whose it is."""

    system: MaybeText = None
    value: MaybeText = None
    extension: Many[Extension] = ()

    def is_of(self, scheme: str) -> bool:
        """Whether it is of the NHS scheme of this name; the addresses differ in http, https and the case of `Id`."""
        return self.system is not None and self.system.casefold().endswith(f"/id/{scheme}")


class Reference(Wire):
    """Where a resource stands, or which one is meant."""

    reference: MaybeText = None
    identifier: Identifier | None = None


class Period(Wire):
    """From when to when."""

    start: MaybeText = None
    end: MaybeText = None


class Meta(Wire):
    """What is known of a resource itself."""

    last_updated: MaybeText = None
    security: Many[Coding] = ()


class Destination(Wire):
    """To which service a message goes."""

    endpoint: MaybeText = None


class MessageHeader(Wire):
    """What a message is about, from whom and to which service."""

    event_coding: Coding
    reason: Concept | None = None
    destination: Many[Destination] = ()
    sender: Reference | None = None
    focus: Many[Reference] = ()


class ServiceRequest(Wire):
    """A referral."""

    id: MaybeId = None
    meta: Meta = Meta()
    status: MaybeText = None
    category: Many[Concept] = ()
    priority: MaybeText = None
    subject: Reference = Reference()
    authored_on: MaybeText = None
    requester: Reference | None = None
    performer: Many[Reference] = ()
    reason_code: Many[Concept] = ()
    reason_reference: Many[Reference] = ()


class HumanName(Wire):
    """A name in parts."""

    use: MaybeText = None
    family: MaybeText = None
    given: Many[Text] = ()


class Address(Wire):
    """An address in parts."""

    use: MaybeText = None
    type: MaybeText = None
    line: Many[Text] = ()
    city: MaybeText = None
    district: MaybeText = None
    postal_code: MaybeText = None
    period: Period = Period()


class Patient(Wire):
    """Whom a referral is about."""

    meta: Meta = Meta()
    identifier: Many[Identifier] = ()
    name: Many[HumanName] = ()
    gender: MaybeText = None
    birth_date: MaybeText = None
    address: Many[Address] = ()
    general_practitioner: Many[Reference] = ()


class Organization(Wire):
    """A practice, trust or service provider."""

    identifier: Many[Identifier] = ()
    name: MaybeText = None


class PractitionerRole(Wire):
    """For which organisation a practitioner works."""

    practitioner: Reference = Reference()
    organization: Reference = Reference()


class HealthcareService(Wire):
    """A service in the directory of services."""

    identifier: Many[Identifier] = ()


class Condition(Wire):
    """A condition, as a code."""

    code: Concept = Concept()


RESOURCES: Final[tuple[type[Wire], ...]] = (
    MessageHeader,
    ServiceRequest,
    Patient,
    Organization,
    PractitionerRole,
    HealthcareService,
    Condition,
)
READ: Final = frozenset(model.__name__ for model in RESOURCES)
"""The types of resource that are read at all. Of any other only its name is looked at."""


def faults(error: ValidationError, resource: str) -> Iterator[Finding]:
    """What is wrong with a resource, by rule and field."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        rule = rules.MISSING if fault["type"] == "missing" else rules.MALFORMED
        yield Finding(rule, ".".join(str(part) for part in (resource, *fault["loc"])))
