"""Our MESH mailbox, and who sends what to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mesh_client import MeshClient

from adapters.base import Adapter
from gateway.errors import ConfigurationError
from gateway.intake.parcel import feed_of
from gateway.parties import Parties, Party
from gateway.settings import Mesh as Settings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Route:
    """What messages of one mailbox and workflow are. answer: the workflow of what is sent back."""

    party: Party
    adapter: Adapter
    media_type: str
    answer: str


def routes_of(parties: Parties, adapters: Mapping[str, Adapter]) -> dict[tuple[str, str], Route]:
    """Who sends from which mailbox under which workflow. Raises ConfigurationError where two parties claim the same."""
    routes: dict[tuple[str, str], Route] = {}
    for party in parties.all:
        if party.mesh is None:
            continue
        adapter = feed_of(party, adapters)
        for mailbox in party.mesh.mailboxes:
            for workflow, told in party.mesh.workflows.items():
                other = routes.get((mailbox, workflow))
                if other is not None:
                    raise ConfigurationError(
                        f"The parties {other.party.id} and {party.id} both send {workflow} from one mailbox.",
                        "Leave it to one of them in the parties file.",
                    )
                answer = told.answer or f"{workflow}_ACK"
                routes[mailbox, workflow] = Route(party, adapter, told.media_type, answer)
    return routes


def open_client(settings: Settings) -> MeshClient:
    """A client of the mailbox that is set. Raises ConfigurationError saying what is missing."""
    if settings.url is None or settings.password is None or settings.shared_key is None:
        raise ConfigurationError(
            "A MESH mailbox needs its address, its password and the shared key.",
            "Set GATEWAY_MESH with url, mailbox, password and shared_key; the last two name files.",
        )
    address = urlsplit(settings.url)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise ConfigurationError("MESH is reached over https.", "Set the url of GATEWAY_MESH to one that is.")
    try:
        password = settings.password.read_text().strip()
        shared_key = settings.shared_key.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(
            f"The password or shared key of the MESH mailbox cannot be read ({error.strerror}).",
            "See that the files GATEWAY_MESH names are there, and may be read.",
        ) from None
    return MeshClient(
        settings.url,
        settings.mailbox,
        password,
        shared_key=shared_key,
        cert=(str(settings.cert), str(settings.key)) if settings.cert and settings.key else None,
        verify=str(settings.ca) if settings.ca else None,
        timeout=settings.timeout.total_seconds(),
        application_name="lasars-gateway",
    )
