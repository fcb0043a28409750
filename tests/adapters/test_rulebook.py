from pathlib import Path

import pytest

from adapters import flat_rules, rulebook
from adapters.base import Adapter, Level, Rule
from adapters.registry import adapters
from adapters.rulebook import RULES_PAGE, SHARED, WITHDRAWN, Entry, IdUsedAgain, entries, gone, ids_of, main, render


def test_the_published_list_is_what_the_adapters_say() -> None:
    """contracts/rules.md has every rule of every agency, as the code has it."""
    assert main(["--check"]) == 0
    assert RULES_PAGE.read_text(encoding="utf-8") == render(entries())


def test_every_rule_has_one_line() -> None:
    """Every rule an adapter can find is listed once, whichever and however many adapters find it."""
    found = {rule_id for adapter in adapters().values() for rule_id in adapter.rules}
    listed = [entry.rule.id for entry in entries()]
    assert found <= set(listed)
    assert len(listed) == len(set(listed))
    assert ids_of(render(entries())) == set(listed) | set(WITHDRAWN)


def agency_with(*rules: Rule) -> dict[str, Adapter]:
    """An invented agency that can find these rules."""
    adapter = next(iter(adapters().values()))
    own = {rule.id: rule for rule in rules}
    return {"supported_housing": Adapter("supported_housing", adapter.read, own, frozenset())}


def test_the_rules_of_flat_records_are_listed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and as soon as an agency has one of them: no field that comes or goes takes a published rule away."""
    assert not {entry.rule.id for entry in entries()} & flat_rules.RULES.keys()
    monkeypatch.setattr(rulebook, "adapters", lambda: agency_with(flat_rules.MISSING))
    listed = [entry.rule for entry in entries() if entry.agency == rulebook.FLAT]
    assert listed == list(flat_rules.RULES.values())


@pytest.mark.parametrize("taken", ["ID-001", *sorted(WITHDRAWN)])
def test_no_id_is_ever_given_to_another_rule(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that another rule has, or had, stops the list from being written."""
    another = Rule(taken, Level.WARN, "Something else", "Nothing to do.")
    monkeypatch.setattr(rulebook, "adapters", lambda: agency_with(another))
    with pytest.raises(IdUsedAgain, match=taken):
        entries()


def test_a_rule_that_is_dropped_must_be_withdrawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list remembers: an id that stands in it and in no adapter is named, and the list stays as it was."""
    page = tmp_path / "rules.md"
    dropped = Entry(Rule("CU-999", Level.WARN, "Dropped", "Nothing to do."), "police_custody")
    before = render((*entries(), dropped))
    page.write_text(before, encoding="utf-8")
    assert gone(before, entries()) == ["CU-999"]
    assert main(["--into", str(page)]) == 1
    assert page.read_text(encoding="utf-8") == before
    assert "CU-999" in capsys.readouterr().err


def test_a_stale_list_is_named_and_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --check nothing is written; without it the list is written whole."""
    page = tmp_path / "rules.md"
    assert main(["--check", "--into", str(page)]) == 1
    assert not page.exists()
    assert "python -m adapters.rulebook" in capsys.readouterr().err
    assert main(["--into", str(page)]) == 0
    assert main(["--check", "--into", str(page)]) == 0


@pytest.mark.parametrize(
    ("level", "fix", "owner"),
    [
        (Level.REFUSE, "Correct it.", "sender"),
        (Level.WARN, "Correct it.", "sender"),
        (Level.WARN, "Operations: map it.", "operations"),
        (Level.HOLD, "Nothing to do for the sender.", "operations"),
    ],
)
def test_every_rule_has_one_owner(level: Level, fix: str, owner: str) -> None:
    """What is held is operations' to decide; what is refused or odd is the sender's, unless the fix asks operations."""
    assert Entry(Rule("XX-001", level, "Something", fix), SHARED).owner == owner
