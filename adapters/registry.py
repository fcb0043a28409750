"""Every agency we hear from, by name. A new agency is one folder and two lines here."""

from collections.abc import Callable, Mapping
from typing import Final

from adapters import dwp, gp, police_custody, prison, probation, self_referral
from adapters.base import Adapter
from adapters.findings import bounded

_AGENCIES: Final[Mapping[str, Callable[[Mapping[str, str]], Adapter]]] = {
    "gp": gp.build,
    "police_custody": police_custody.build,
    "prison": prison.build,
    "probation": probation.build,
    "dwp": dwp.build,
    "self_referral": self_referral.build,
}

TRYING: Final[Mapping[str, Mapping[str, str]]] = {"gp": {"lasars_services": "*"}}
"""Options under which every agency's examples are taken: for trying feeds, and never in earnest."""


def adapters(options: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Adapter]:
    """All adapters of an installation, by agency.

    options: an installation's choices for an agency, by its name; each agency's README has a list. Raises ValueError
    for an agency that is none, or an option its adapter does not have.
    """
    chosen = options or {}
    if unknown := set(chosen) - set(_AGENCIES):
        raise ValueError(f"no such agency: {', '.join(sorted(unknown))}")
    return {name: bounded(build(chosen.get(name, {}))) for name, build in _AGENCIES.items()}
