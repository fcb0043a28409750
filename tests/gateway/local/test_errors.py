from collections.abc import Iterator
from string import Formatter

import pytest

from gateway.local import errors


def every(kind: type[errors.LocalError]) -> Iterator[type[errors.LocalError]]:
    """The error and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from every(below)


@pytest.mark.parametrize("kind", list(every(errors.LocalError)), ids=lambda kind: kind.__name__)
def test_every_error_is_a_sentence_and_a_remedy(kind: type[errors.LocalError]) -> None:
    """Every error says in a sentence what is wrong and in another what to do, with its facts put in."""
    texts = f"{kind.__doc__} {kind.remedy}"
    facts = {name: "X" for _, name, _, _ in Formatter().parse(texts) if name}
    error = kind(**facts)
    assert str(error)[0].isupper()
    assert error.fix.endswith(".")
    assert "{" not in f"{error} {error.fix}"
    assert kind.__name__ in (errors.__doc__ or "")
