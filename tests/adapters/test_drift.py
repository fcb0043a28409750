from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from adapters.drift import besides


class Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Line(Wire):
    house_name: str


class Home(Wire):
    lines: tuple[Line, ...] = ()


class Record(Wire):
    home_address: Home | None = None
    reference: str = ""


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        ({"reference": "1", "homeAddress": {"lines": [{"houseName": "x"}]}}, []),
        ({"reference": "1", "eventType": "x"}, []),
        ({"Thistlewood": 1, "shoeSize": 9}, ["record"]),
        ({"home_address": {}}, ["record"]),
        ({"homeAddress": {"shoeSize": 9}}, ["homeAddress"]),
        ({"homeAddress": {"lines": [{"houseName": "x"}, {"houseName": "y", "shoeSize": 9}]}}, ["homeAddress.lines"]),
        ({"homeAddress": None, "reference": {"shoeSize": 9}}, []),
    ],
)
def test_what_stands_besides_is_told_by_its_part(told: dict[str, Any], parts: list[str]) -> None:
    """Each part that holds more than the contract names is told once, whatever the field is called."""
    found = list(besides(Record, told, also=frozenset({"eventType"})))
    assert [finding.field for finding in found] == parts
    assert {finding.rule.id for finding in found} <= {"FD-001"}
    assert "Thistlewood" not in " ".join(finding.text for finding in found)
