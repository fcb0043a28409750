import json
import uuid
from datetime import UTC, datetime

import jsonschema
import pytest

from gateway.kafka.envelope import Envelope, write_headers
from schemas.base import Change
from schemas.catalogue import CATALOGUE
from schemas.contracts import CANONICAL

ASYNCAPI = json.loads((CANONICAL / "asyncapi.json").read_text(encoding="utf-8"))
DUE = datetime(2012, 5, 4, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("kind", CATALOGUE)
def test_the_headers_written_are_the_headers_promised(kind: str, change: Change, settled: bool) -> None:
    """What the relay writes is valid by the message of its kind and change, and no header is left undescribed."""
    envelope = Envelope(
        id=uuid.UUID(int=1),
        record_id=uuid.UUID(int=2),
        kind=kind,
        change=change,
        supersedes=None if change is Change.FACT else uuid.UUID(int=3),
        sender="enfield-custody",
        agency="police_custody",
        fact=bytes(16),
        lane=bytes(16),
        occurred=datetime(2012, 5, 4, 22, 41, tzinfo=UTC),
        recorded=DUE,
        due=DUE if settled else None,
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" if settled else None,
    )
    name = f"{kind.partition('.')[0]}.retraction" if change is Change.RETRACTION else kind
    promised = ASYNCAPI["components"]["messages"][name]["headers"]
    written = {header: value.decode() for header, value in write_headers(envelope)}
    jsonschema.Draft202012Validator(
        {**promised, "components": ASYNCAPI["components"]},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    ).validate(written)
    assert set(written) <= set(ASYNCAPI["components"]["schemas"]["headers"]["properties"])
