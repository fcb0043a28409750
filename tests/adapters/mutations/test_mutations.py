"""What becomes of a message that drifts: each field of each example, in each of eight ways, as the tables say.

Nothing is dropped in silence and nothing turns up in a wrong place: a mutated record tells the same, differs exactly
where its table says, or is held or refused by the rule its table names.
"""

from collections.abc import Callable

import pytest

from adapters.registry import adapters
from tests.adapters.mutations.table import TABLES, read_table
from tests.adapters.mutations.trial import tried

AGENCIES = sorted(path.stem for path in TABLES.glob("*.toml"))


@pytest.mark.parametrize("agency", AGENCIES)
def test_every_mutation_ends_as_the_table_says(agency: str, record_property: Callable[[str, object], None]) -> None:
    """No field can be lost, renamed, emptied, retyped or refilled without the record saying so, or the table."""
    trial = tried(read_table(agency))
    for word, number in sorted(trial.counted.items()):
        record_property(word, number)
    assert trial.wrong == []
    assert trial.idle == set()


def test_every_agency_has_a_table() -> None:
    """No feed is left out."""
    missing = set(adapters()) - set(AGENCIES)
    assert not missing, f"write {', '.join(f'{TABLES.name}/{agency}.toml' for agency in sorted(missing))}"
