"""What general practice sends, each message in the format it really comes in.

BaRS sends FHIR bundles. The registers of the health authorities send EDIFACT, and hospital systems HL7 v2.
"""

from collections.abc import Callable, Mapping
from typing import Final

from adapters import claims
from adapters.base import Adapter, Message, Outcome
from adapters.gp import bundle, rules
from adapters.gp.referral import read_bundle
from adapters.gp.services import Services

NAME: Final = "gp"

Reader = Callable[[Services, Message], Outcome]

READERS: Final[Mapping[str, Reader]] = {
    **dict.fromkeys(sorted(bundle.JSON | bundle.XML), read_bundle),
}
"""By media type, who reads it."""


def build(options: Mapping[str, str]) -> Adapter:
    """The GP feed of one installation.

    Options: `lasars_services`, the ids of the services in the directory that are a LASARS, with commas between them;
    `*` takes every service, for trying. Without it no referral is taken. Raises ValueError for another option.
    """
    if unknown := set(options) - {"lasars_services"}:
        raise ValueError(f"the gp adapter has no option {sorted(unknown)[0]!r}")
    services = Services.named(options.get("lasars_services", ""))

    def read(message: Message) -> Outcome:
        return READERS[message.media_type](services, message)

    return Adapter(
        name=NAME,
        read=read,
        rules={**rules.RULES, **claims.RULES},
        records=frozenset(READERS),
    )
