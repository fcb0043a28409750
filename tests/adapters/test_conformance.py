"""What every agency's adapter promises. A new agency is found here by being in the registry."""

import csv
import importlib
import io
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters import claims, drift, findings, flat_rules
from adapters.base import Accepted, Adapter, FileRefused, Finding, Ignored, Level, Message, Outcome, Rule
from adapters.registry import adapters
from gateway.offline.records import Examined, examine, media_type
from schemas.base import Fact, facts_of
from tests.support.samples import sample

ROOT = Path(__file__).parents[2]
RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)
OUTCOMES = ("accepted", "held", "ignored", "refused")
WORDS = 15
"""So many words, at the least, an agency's README says under each of its headings."""
HEADINGS = (
    "Business need",
    "Lawful basis and sharing agreement",
    "What they send",
    "What we publish",
    "Owner and hours",
    "Known oddities",
)
OPTIONS = {"gp": {"lasars_services": "2000081234"}}
"""What an installation must choose for its examples to be taken: a referral is to a service that is named."""
AGENCIES = adapters(OPTIONS)
SHARED = {**claims.RULES, **drift.RULES, **findings.RULES, **flat_rules.RULES}


def examples(agency: str, outcome: str) -> list[Path]:
    """The agency's published examples of one outcome."""
    folder = ROOT / "contracts" / "inbound" / agency / "examples" / outcome
    return sorted(path for path in folder.glob("*") if path.is_file())


EVERY_EXAMPLE = [
    pytest.param(agency, outcome, path, id=f"{agency}-{outcome}-{path.name}")
    for agency in AGENCIES
    for outcome in OUTCOMES
    for path in examples(agency, outcome)
]


def own_rules(agency: str) -> dict[str, Rule]:
    """The rules of one agency alone, without those that agencies share."""
    return {rule_id: rule for rule_id, rule in AGENCIES[agency].rules.items() if rule_id not in SHARED}


def read(agency: str, path: Path) -> list[Examined]:
    """What becomes of each record of a file."""
    return list(examine(AGENCIES[agency], [path], RECEIVED))


def facts(examined: list[Examined]) -> list[Fact]:
    """The facts of the accepted records."""
    return [fact for record in examined if isinstance(record.outcome, Accepted) for fact in record.outcome.facts]


def published(agency: str) -> str:
    """The text of an agency's contract and README: what stands there identifies nobody."""
    contract = ROOT / "contracts" / "inbound" / agency
    texts = [path for path in contract.glob("*") if path.is_file()] + [ROOT / "adapters" / agency / "README.md"]
    return "\n".join(path.read_text(encoding="utf-8") for path in texts)


def leaves(path: Path) -> Iterator[str]:
    """Every value that stands in an example, whatever its form."""
    text = path.read_bytes().decode("utf-8", "replace")
    match path.suffix:
        case ".csv":
            for row in csv.reader(io.StringIO(text, newline="")):
                yield from row
        case ".json":
            try:
                yield from _json_leaves(json.loads(text))
            except ValueError:
                yield from re.findall(r"\w{4,}", text)
        case ".txt":
            yield from re.findall(r"\S{4,}", text)
        case ".edi" | ".hl7":
            yield from re.split(r"[+:'|^~&\r\n]+", text)
        case _:
            yield from re.findall(r">\s*([^<>]*[^<>\s])\s*<", text)


def _json_leaves(value: object) -> Iterator[str]:
    match value:
        case dict():
            for inner in value.values():
                yield from _json_leaves(inner)
        case list():
            for inner in value:
                yield from _json_leaves(inner)
        case str() if value.lstrip().startswith("{"):
            yield from _json_leaves(json.loads(value))
        case str():
            yield value
        case _:
            pass


@pytest.mark.parametrize("agency", AGENCIES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_an_example(agency: str, outcome: str) -> None:
    """A contract shows what is taken, what is held, what is ignored and what is refused."""
    assert examples(agency, outcome)


@pytest.mark.parametrize(("agency", "outcome", "path"), EVERY_EXAMPLE)
def test_examples_have_the_outcome_of_their_folder(agency: str, outcome: str, path: Path) -> None:
    """Every record of an example becomes what the folder it lies in says."""
    assert {record.word for record in read(agency, path)} == {outcome}


@pytest.mark.parametrize(("agency", "outcome", "path"), EVERY_EXAMPLE)
def test_the_same_record_tells_the_same_facts(agency: str, outcome: str, path: Path) -> None:
    """A record read twice gives equal keys and equal facts, so that ids hold when it is sent again."""
    first, second = facts(read(agency, path)), facts(read(agency, path))
    assert first == second
    assert [facts_of(fact) for fact in first] == [facts_of(fact) for fact in second]


@pytest.mark.parametrize(("agency", "outcome", "path"), EVERY_EXAMPLE)
def test_facts_do_not_depend_on_when_they_reached_us(agency: str, outcome: str, path: Path) -> None:
    """A record that comes again a day later tells the same facts: nothing of the journey is in them."""
    later = list(examine(AGENCIES[agency], [path], RECEIVED.replace(day=16)))
    assert [facts_of(fact) for fact in facts(later)] == [facts_of(fact) for fact in facts(read(agency, path))]


@pytest.mark.parametrize(("agency", "outcome", "path"), EVERY_EXAMPLE)
def test_every_fact_is_about_an_identified_person(agency: str, outcome: str, path: Path) -> None:
    """A fact has a key of its agency, a lane, and a person somebody can be found by."""
    for fact in facts(read(agency, path)):
        assert fact.key.startswith(f"{agency}:")
        assert re.fullmatch(r"[A-Z]+:\S.*", fact.lane)
        assert fact.event is None or fact.event.kind == fact.kind
        if fact.event is not None:
            person = fact.event.person
            assert person.identifiers or (person.name and person.date_of_birth)


@pytest.mark.parametrize(("agency", "outcome", "path"), EVERY_EXAMPLE)
def test_what_is_not_accepted_says_why(agency: str, outcome: str, path: Path) -> None:
    """A refusal names a rule that refuses, a held record one that holds, and what is ignored a name."""
    needed = {"held": Level.HOLD, "refused": Level.REFUSE}
    for record in read(agency, path):
        levels = {finding.rule.level for finding in record.findings}
        assert outcome not in needed or needed[outcome] in levels
        assert outcome != "accepted" or levels <= {Level.WARN}
        if isinstance(record.outcome, Ignored):
            assert record.outcome.name


@pytest.mark.parametrize(("agency", "outcome", "path"), EVERY_EXAMPLE)
def test_findings_quote_no_personal_value(agency: str, outcome: str, path: Path) -> None:
    """Nothing that stands in a record comes back in a finding, but short codes and words the contract itself prints."""
    printed = published(agency)
    values = {value.strip() for value in leaves(path)}
    personal = {value.casefold() for value in values if len(value) > 4 and value not in printed}
    for record in read(agency, path):
        for finding in record.findings:
            told = f"{finding.field} {finding.detail}".casefold()
            quoted = {value for value in personal if value in told}
            assert not quoted, "a code of more than four characters must stand in the contract's README to be told"


@pytest.mark.parametrize("agency", AGENCIES)
def test_rules_are_well_formed(agency: str) -> None:
    """Every rule has an id of its agency's series and two sentences, of which neither repeats another's."""
    rules = own_rules(agency)
    series = {rule_id.partition("-")[0] for rule_id in rules}
    assert len(series) <= 1
    for rule_id, rule in rules.items():
        assert rule.id == rule_id
        assert re.fullmatch(r"[A-Z]{2,3}-\d{3}", rule_id)
        assert rule.sentence[0].isupper()
        assert not rule.sentence.endswith(".")
        assert rule.fix.endswith(".")
    assert len({rule.sentence for rule in rules.values()}) == len(rules)


def test_no_two_agencies_share_a_series_of_rules() -> None:
    """A rule id says by itself whose rule it is; that of a claim is the same at every door."""
    series = [one for agency in AGENCIES for one in {rule.partition("-")[0] for rule in own_rules(agency)}]
    assert len(set(series)) == len(series)
    assert not {"ID", "FD", "FR"} & set(series)
    for agency in AGENCIES.values():
        shared = {rule_id: rule for rule_id, rule in agency.rules.items() if rule_id.startswith("ID-")}
        assert shared in ({}, claims.RULES)


def words_of_tests(place: str | Path) -> set[str]:
    """Every word in the tests of an agency, or of one of its formats."""
    tests = (Path(__file__).parent / place).rglob("test_*.py")
    return {word for path in tests for word in re.findall(r"[\w-]+", path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("agency", AGENCIES)
def test_every_rule_is_shown(agency: str) -> None:
    """A rule that no example breaks and no test of the agency names is a promise nobody has seen kept."""
    shown = {
        finding.rule.id
        for outcome in OUTCOMES
        for path in examples(agency, outcome)
        for record in read(agency, path)
        for finding in record.findings
    }
    own = set(own_rules(agency))
    named = own & words_of_tests(agency)
    for path in (ROOT / "adapters" / agency).rglob("rules.py"):
        place = path.parent.relative_to(ROOT / "adapters")
        words = words_of_tests(place)
        constants = vars(importlib.import_module(".".join(("adapters", *place.parts, "rules"))))
        named |= {rule.id for name, rule in constants.items() if isinstance(rule, Rule) and name in words}
    assert own - shown - named == set()


@pytest.mark.parametrize("agency", AGENCIES)
def test_readme_has_its_headings_filled_in(agency: str) -> None:
    """Whoever runs the gateway finds need, lawful basis, messages, events, owner and oddities of every agency."""
    readme = (ROOT / "adapters" / agency / "README.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", readme, re.MULTILINE))
    assert tuple(sections) == HEADINGS
    short = [heading for heading, text in sections.items() if len(text.split()) < WORDS]
    assert not short, f"adapters/{agency}/README.md says less than {WORDS} words under: {', '.join(short)}"


@pytest.mark.parametrize("agency", AGENCIES)
def test_an_option_that_is_none_stops_the_start(agency: str) -> None:
    """A misspelt choice of an installation is never passed over."""
    with pytest.raises(ValueError, match="no_such_choice"):
        adapters({agency: {**OPTIONS.get(agency, {}), "no_such_choice": "1"}})


def outcome_of(adapter: Adapter, body: bytes, media_type: str) -> Outcome:
    """What one body becomes; whatever is not an outcome fails the test that asked."""
    return adapter.read(Message(body, media_type, RECEIVED))


BEGINNINGS = (b"", b"<", b"{", b"[", b'<?xml version="1.0"?>', b"\xef\xbb\xbf", b'{"Type": "Notification", "Message": ')


@pytest.mark.parametrize("agency", AGENCIES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beginning=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=300), media=st.integers(0, 9))
def test_arbitrary_bytes_never_raise(agency: str, beginning: bytes, rest: bytes, media: int) -> None:
    """Whatever bytes come, the answer is an outcome."""
    adapter = AGENCIES[agency]
    kinds = sorted(adapter.records)
    outcome = outcome_of(adapter, beginning + rest, kinds[media % len(kinds)])
    assert not isinstance(outcome, Accepted)


@pytest.mark.parametrize("agency", AGENCIES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_example_never_raises(agency: str, data: st.DataObject) -> None:
    """An example with any of its bytes replaced, cut or doubled is still answered, and its findings quote nobody."""
    adapter = AGENCIES[agency]
    path = data.draw(st.sampled_from([p for outcome in OUTCOMES for p in examples(agency, outcome)]))
    body = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    body[start:end] = data.draw(st.one_of(st.binary(max_size=40), st.just(bytes(body[start:end]) * 2)))
    kind = media_type(path)
    bodies = [bytes(body)]
    if kind in adapter.files:
        try:
            bodies = [row.body for row in adapter.files[kind](io.BytesIO(bytes(body)))]
        except FileRefused as refused:
            assert refused.finding.rule.level is Level.REFUSE  # noqa: PT017 - being refused is one right answer
            return
    for each in bodies:
        outcome = outcome_of(adapter, each, kind)
        for finding in () if isinstance(outcome, Ignored) else outcome.findings:
            assert isinstance(finding, Finding)
            assert "Oakenfold" not in finding.text


HOSTILE = "hostile-input"


def test_hostile_files_are_answered_at_once() -> None:
    """Bombs, external entities and broken JSON are refused within a second at every door; none raises or hangs."""
    files = sorted(path for path in sample(HOSTILE).rglob("*") if path.is_file())
    assert files
    for adapter in AGENCIES.values():
        for path in files:
            body = path.read_bytes()
            for taken in sorted(adapter.records):
                begun = time.perf_counter()
                outcome = outcome_of(adapter, body, taken)
                assert time.perf_counter() - begun < 1, path.name
                assert not isinstance(outcome, Accepted), path.name
            for rows in adapter.files.values():
                try:
                    for row in rows(io.BytesIO(body)):
                        outcome_of(adapter, row.body, row.media_type)
                except FileRefused as refused:
                    assert refused.finding.rule.id in adapter.rules  # noqa: PT017 - being refused is one right answer


def test_naughty_strings_are_text_like_any_other() -> None:
    """A string that breaks other programs, in a name, is stored as it is or refused by rule; it never raises."""
    strings = json.loads(sample(f"{HOSTILE}/blns_half.json").read_text(encoding="utf-8"))
    adapter = AGENCIES["police_custody"]
    good = etree.fromstring(examples("police_custody", "accepted")[0].read_bytes())
    surname = good.find(".//{*}surname")
    assert surname is not None
    for string in strings:
        try:
            surname.text = string
        except ValueError:  # XML cannot hold it: no document can bring it
            continue
        outcome = outcome_of(adapter, etree.tostring(good, encoding="utf-8"), "application/xml")
        if isinstance(outcome, Accepted):
            event = outcome.facts[0].event
            assert event is not None
            assert event.person.name is not None
            lines = [line.strip() for line in re.split(r"[\t\n\v\f\r]+", string.strip())]
            assert event.person.name.surname == " ".join(lines)
