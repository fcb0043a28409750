"""The bench translates what it says it does, and against something that reads the same message."""

from collections.abc import Sized
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Accepted
from adapters.registry import adapters
from bench.formats import RECEIVED, Format, formats, of_file
from bench.translation import Speed, lines, measure, report

FORMATS = list(formats())


@pytest.mark.parametrize("format_", FORMATS, ids=lambda one: one.name)
def test_every_message_is_translated_and_every_base_reads_it(format_: Format) -> None:
    """A message that tells nothing would be fast for nothing, and so would a base that finds nothing in it."""
    outcome = format_.read(format_.message)
    assert isinstance(outcome, Accepted)
    assert any(fact.event is not None for fact in outcome.facts)
    for base in format_.bases.values():
        found = base(format_.message.body)
        assert found is not None
        assert not isinstance(found, Sized) or len(found) > 0


def test_every_media_type_of_every_agency_is_measured() -> None:
    """No format is left out: a media type that is not measured is another name of one that is."""
    measured = {one.message.media_type for one in FORMATS}
    synonyms = {"text/xml": "application/xml", "x-application/hl7-v2+er7": "application/hl7-v2"}
    taken = {media_type for adapter in adapters().values() for media_type in adapter.records}
    assert {synonyms.get(media_type, media_type) for media_type in taken} <= measured


def test_a_message_of_ones_own_is_measured_under_its_files_name(tmp_path: Path) -> None:
    """A real message says more than an example; one that its agency does not accept says nothing."""
    path = tmp_path / "ours.xml"
    path.write_bytes(FORMATS[0].message.body)
    measured = of_file("police_custody", path, RECEIVED)
    assert (measured.name, list(measured.bases)) == ("police_custody_ours", list(FORMATS[0].bases))
    for agency in ("nobody", "prison", "gp"):
        with pytest.raises(ValueError, match=agency):
            of_file(agency, path, RECEIVED)


def test_speeds_are_printed_as_a_table_and_as_lines() -> None:
    """What was measured is there for people and for machines, a line a format."""
    [speed] = measure(FORMATS[:1], turns=1, seconds=0.001)
    assert speed.translated > 0
    assert f" {speed.ratio:.2f} " in report([speed])
    assert list(lines([speed])) == [f"translation_custody_xml={speed.ratio:.2f}"]


def test_the_ratio_is_of_speeds() -> None:
    """Translating that takes four times as long as its first base runs at a quarter of its speed."""
    assert Speed(FORMATS[0], translated=400, bases={"counts": 100, "is told": 50}).ratio == 0.25


def test_what_is_not_accepted_is_not_measured() -> None:
    """A refusal is quick and says nothing of translating, so the bench stops and names the format."""
    broken = replace(FORMATS[0], message=replace(FORMATS[0].message, body=b"<record/>"))
    with pytest.raises(ValueError, match="custody_xml"):
        measure([broken], turns=1)
