"""What general practice sends, each message in the format it really comes in.

BaRS sends FHIR bundles. The registers of the health authorities send EDIFACT, and hospital systems HL7 v2.
"""

from collections.abc import Callable, Mapping
from typing import Final

from adapters import claims
from adapters.base import Adapter, Message, Outcome
from adapters.gp.edifact import fhsreg
from adapters.gp.edifact import rules as edifact_rules
from adapters.gp.edifact.recep import recep
from adapters.gp.fhir import bundle
from adapters.gp.fhir import rules as fhir_rules
from adapters.gp.fhir.referral import read_bundle
from adapters.gp.hl7 import batch
from adapters.gp.hl7 import rules as hl7_rules
from adapters.gp.hl7.ack import ack
from adapters.gp.hl7.er7 import control_id
from adapters.gp.hl7.event import read_hl7
from adapters.gp.services import Services
from schemas.care import EndReason

NAME: Final = "gp"

Reader = Callable[[Services, Message], Outcome]

HL7: Final = (batch.MEDIA_TYPE, "x-application/hl7-v2+er7")
"""HL7 v2 in ER7, by the name it has as a media type, and by the one HL7 over HTTP gives it."""

READERS: Final[Mapping[str, Reader]] = {
    **dict.fromkeys(sorted(bundle.JSON | bundle.XML), read_bundle),
    **dict.fromkeys(HL7, read_hl7),
}
"""By media type, who reads it. Registration interchanges (EDIFACT) name no service; `build` adds who reads them."""


def build(options: Mapping[str, str]) -> Adapter:
    """The GP feed of one installation.

    Options: `lasars_services`, the ids of the services in the directory that are a LASARS, with commas between them;
    `*` takes every service, for trying. Without it no referral is taken. `deduction_reason.<CODE>`, what a reason for a
    deduction means: a value of `EndReason`. Raises ValueError for another option, or a value that is none.
    """
    services = Services.named(options.get("lasars_services", ""))
    reasons: dict[str, EndReason] = {}
    for option, value in options.items():
        match option.partition("."):
            case ("lasars_services", "", ""):
                continue
            case ("deduction_reason", ".", code) if code:
                reasons[code] = EndReason(value)
            case _:
                raise ValueError(f"the gp adapter has no option {option!r}")
    registrations = fhsreg.reading(reasons)

    def read(message: Message) -> Outcome:
        if message.media_type == fhsreg.MEDIA_TYPE:
            return registrations.read(message)
        return READERS[message.media_type](services, message)

    return Adapter(
        name=NAME,
        read=read,
        rules={**fhir_rules.RULES, **edifact_rules.RULES, **hl7_rules.RULES, **claims.RULES},
        records=frozenset({*READERS, fhsreg.MEDIA_TYPE}),
        files={fhsreg.MEDIA_TYPE: fhsreg.rows, batch.MEDIA_TYPE: batch.rows},
        trailer=True,
        answers={fhsreg.MEDIA_TYPE: recep, **dict.fromkeys(HL7, ack)},
        series={fhsreg.MEDIA_TYPE: fhsreg.SERIES},
        ids=dict.fromkeys(HL7, control_id),
        code_options={registrations.reasons.name: "deduction_reason"},
    )
