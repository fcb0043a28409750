"""What every process of an installation shares: its secrets, its parties, and what addressing works with."""

from dataclasses import dataclass

from gateway.addressing.address import Tools
from gateway.addressing.agreements import load_agreements
from gateway.clock import Clock, system_clock
from gateway.errors import ConfigurationError
from gateway.parties import Parties, load_parties
from gateway.sealing import BlindIndex, Sealer, Secrets, Signer
from gateway.settings import Settings
from schemas.place_files import load_places


@dataclass(frozen=True, slots=True)
class Installation:
    """What both processes share: read once from files at start."""

    settings: Settings
    secrets: Secrets
    parties: Parties
    clock: Clock

    @property
    def index(self) -> BlindIndex:
        """The installation's blind index."""
        return BlindIndex(self.secrets.pepper)

    @property
    def sealer(self) -> Sealer:
        """The installation's sealer."""
        return Sealer(self.secrets.kek)

    @property
    def signer(self) -> Signer:
        """Who signs what is pushed."""
        return Signer(self.secrets.signing)

    def tools(self) -> Tools:
        """What addressing works with."""
        return Tools(
            index=self.index,
            sealer=self.sealer,
            namespace=self.secrets.namespace,
            places=load_places(self.settings.places),
            parties=self.parties,
            agreements=load_agreements(self.settings.agreements),
        )


def read_installation(settings: Settings, clock: Clock = system_clock) -> Installation:
    """Read the key file and the parties file. Raises ConfigurationError saying which is wrong, and what to do."""
    try:
        secrets = Secrets.read(settings.keys)
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no key file at {settings.keys}.", "Set GATEWAY_KEYS; lgw up makes a local system's own."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The key file {settings.keys} cannot be used ({type(error).__name__}).", "Restore it from its backup."
        ) from None
    return Installation(settings, secrets, load_parties(settings.parties), clock)
