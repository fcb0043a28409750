"""Which services are ours: those an installation names, and no other."""

import pytest

from adapters.gp import build
from adapters.gp.services import Services


@pytest.mark.parametrize(
    ("option", "named", "found"),
    [
        ("", ["1"], None),
        (" , ", ["", " "], None),
        ("1", ["1"], "1"),
        ("1", ["2"], None),
        ("1", ["11"], None),
        (" 2 ,1", ["3", "1", "2"], "1"),
        ("*", ["3", "1"], "3"),
        ("*", [], None),
        ("1,*", ["3"], "3"),
    ],
)
def test_a_service_is_ours_if_it_is_named(option: str, named: list[str], found: str | None) -> None:
    """Whole ids, with commas between them; `*` is every service, and a message that names none goes to none."""
    assert Services.named(option).ours(named) == found


def test_a_misspelt_option_stops_the_start() -> None:
    """Nobody learns from a missing referral that its option was called otherwise."""
    with pytest.raises(ValueError, match="has no option"):
        build({"lasars_service": "1"})
