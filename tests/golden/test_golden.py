"""Whoever has the events of an earlier release meets no other ones when the same records come again."""

from pathlib import Path

import pytest

from schemas.catalogue import CATALOGUE
from tests.golden.corpus import ADAPTERS, Book, corpora, records


@pytest.mark.parametrize("corpus", corpora(), ids=lambda corpus: corpus.stem)
def test_every_record_of_a_release_becomes_what_it_became(corpus: Path) -> None:
    """The same events under the same ids, of the same facts, in the same lanes and versions.

    What differs on purpose is written anew by `python -m tests.golden.corpus` as long as the version is not released.
    Afterwards it needs a decision: every installation would tell it again, as something new.
    """
    book = Book()
    other = [
        f"{one.agency} {one.place}"
        for one in records(corpus)
        if book.tell(one.agency, one.media_type, one.body.encode("latin-1")) != one.told
    ]
    assert other == []


@pytest.mark.parametrize("corpus", corpora(), ids=lambda corpus: corpus.stem)
def test_no_agency_and_no_kind_of_a_release_is_dropped(corpus: Path) -> None:
    """Its corpus speaks of both, and of facts, what corrects and repeats them, and what takes them back."""
    golden = list(records(corpus))
    assert {one.agency for one in golden} <= set(ADAPTERS)
    assert {told.kind for one in golden for told in one.told} <= set(CATALOGUE)
    assert {told.change for one in golden for told in one.told} == {"fact", "correction", "repeat", "retraction"}
