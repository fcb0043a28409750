"""The example of an event in a few words: an invented person, a day, and what the event says of its own."""

from typing import Any, Final

from pydantic import ConfigDict

PERSON: Final[dict[str, Any]] = {
    "identifiers": [{"scheme": "nhs", "raw": "9990548609", "value": "9990548609"}],
    "name": {"forenames": "Tamsin", "surname": "Ellerby"},
    "date_of_birth": "1991-06-23",
}
"""Nobody: the number is of the range that is never given out."""


def example(kind: str, *addresses: dict[str, Any], day: str = "2026-01-12", **told: Any) -> ConfigDict:
    """The configuration of an event's model, with one example of it.

    addresses: as an `AddressClaim` is written. day: when it happened. told: the event's own fields, as they are
    written. `kind` must be that of the model: the catalogue's tests read every example by its kind.

        model_config = example("care.moved", {"kind": "main", "postcode": "SK4 1BS"}, reason="eviction")
    """
    occurred = {"at": f"{day}T00:00:00Z", "precision": "day", "zone_assumed": True}
    person = PERSON | ({"addresses": list(addresses)} if addresses else {})
    written: dict[str, Any] = {"kind": kind, "occurred": occurred, "person": person, **told}
    return ConfigDict(json_schema_extra={"examples": [written]})
