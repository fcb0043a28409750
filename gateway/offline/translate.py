"""`lgw translate`: the canonical events an agency's records become.

Unlike everything else the gateway prints, this carries the content: it is the user's own file, on their own computer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from adapters.base import Accepted, Adapter
from gateway.offline.records import Examined, agency_of, examine
from gateway.offline.screen import say_record
from schemas.base import Fact


def translate(
    adapters: Mapping[str, Adapter],
    agency: str,
    paths: Sequence[Path],
    *,
    console: Console,
    problems: Console,
    received: datetime,
) -> int:
    """Print each fact of the records in some files as one line of JSON; the exit code.

    0: every record was translated or is of a kind nobody subscribes to. 1: at least one is held or refused. A record
    that becomes no event is told on `problems` as `check` tells it: each finding with its field, what is wrong and the
    fix. Raises Unusable where it cannot be tried.
    """
    attention = False
    for record in examine(agency_of(adapters, agency), paths, received):
        attention |= record.needs_attention
        if isinstance(record.outcome, Accepted):
            for fact in record.outcome.facts:
                console.file.write(orjson.dumps(_as_object(record, fact)).decode() + "\n")
        if record.needs_attention or not isinstance(record.outcome, Accepted):
            say_record(problems, record)
    return int(attention)


def _as_object(record: Examined, fact: Fact) -> dict[str, Any]:
    return {
        "record": record.place,
        "kind": fact.kind,
        "fact": fact.key,
        "version": fact.version,
        "withdrawn": fact.withdrawn,
        "opens_case": fact.event.opens_case if fact.event is not None and fact.withdrawn is None else False,
        "event": fact.event.model_dump(mode="json") if fact.event is not None and fact.withdrawn is None else None,
    }
