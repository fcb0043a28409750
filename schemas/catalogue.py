"""Every kind of event there is, in one table."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from schemas.base import Event, Retraction, Standing, topic_of
from schemas.benefits import BENEFITS_EVENTS
from schemas.care import Referred, RegistrationChanged, RegistrationEnded, SelfReferred
from schemas.custody import (
    AssessmentAttended,
    AssessmentMissed,
    AssessmentRequired,
    AssessmentVaried,
    Charged,
    DrugTestRecorded,
    FollowUpCeased,
    FollowUpRequired,
)
from schemas.imprisonment import (
    AtLarge,
    DatesChanged,
    Died,
    Merged,
    NeedIdentified,
    Received,
    Released,
    Returned,
    StatusChanged,
    TemporarilyOut,
    Transferred,
)
from schemas.supervision import SUPERVISION_EVENTS


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event: its name, its model, the topic it travels on, whether it opens a case, and what it says."""

    name: str
    event: type[Event]
    topic: str
    standing: Standing
    sentence: str

    def examples(self) -> tuple[Event, ...]:
        """The examples the model gives. Raises pydantic.ValidationError for one that is no longer true."""
        extra = self.event.model_config.get("json_schema_extra")
        told = extra.get("examples") if isinstance(extra, dict) else None
        return tuple(map(self.event.model_validate, told)) if isinstance(told, list) else ()


class UnknownKind(Exception):
    """A kind that is not in the catalogue. The message is its name, which identifies nobody."""


def _kind(event: type[Event]) -> Kind:
    name: str = event.model_fields["kind"].default
    sentence = (inspect.getdoc(event) or "").partition("\n")[0].partition(". ")[0].rstrip(".") + "."
    return Kind(name=name, event=event, topic=topic_of(name), standing=event.standing, sentence=sentence)


_EVENTS: tuple[type[Event], ...] = (
    DrugTestRecorded,
    AssessmentRequired,
    AssessmentVaried,
    AssessmentAttended,
    AssessmentMissed,
    FollowUpRequired,
    FollowUpCeased,
    Charged,
    Received,
    Transferred,
    TemporarilyOut,
    Returned,
    DatesChanged,
    StatusChanged,
    Released,
    AtLarge,
    Died,
    Merged,
    NeedIdentified,
    *SUPERVISION_EVENTS,
    Referred,
    RegistrationChanged,
    RegistrationEnded,
    SelfReferred,
    *BENEFITS_EVENTS,
)

CATALOGUE: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in map(_kind, _EVENTS)})
"""The kinds by name, in the order of their subjects."""

TOPICS: tuple[str, ...] = tuple(dict.fromkeys(kind.topic for kind in CATALOGUE.values()))
"""The canonical topics, each once."""

_DECODERS: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(kind.event) for name, kind in CATALOGUE.items()}
_RETRACTION: TypeAdapter[Retraction] = TypeAdapter(Retraction)


def decode(kind: str, body: bytes) -> Event:
    """The event an unsealed body tells.

    Raises UnknownKind for a kind that is not in the catalogue, and pydantic.ValidationError for a body that is not of
    its kind; log of the latter only `errors(include_input=False, include_context=False, include_url=False)`.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise UnknownKind(kind)
    event: Event = decoder.validate_json(body)
    return event


def decode_retraction(body: bytes) -> Retraction:
    """The retraction an unsealed body tells (`ce_change` is `retraction`). Raises as `decode` does."""
    retraction = _RETRACTION.validate_json(body)
    if retraction.kind not in CATALOGUE:
        raise UnknownKind(retraction.kind)
    return retraction
