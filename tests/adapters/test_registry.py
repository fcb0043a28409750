"""The registry knows every agency, and takes no choice that an agency does not offer."""

import pytest

from adapters.registry import adapters


def test_every_adapter_is_known_by_its_own_name() -> None:
    """The word in the address of a feed is the name of its adapter."""
    assert {name: adapter.name for name, adapter in adapters().items()} == {name: name for name in adapters()}


@pytest.mark.parametrize("options", [{"police": {}}, {"police_custody": {"speed": "high"}}, {"prison": {"speed": "1"}}])
def test_a_choice_that_is_none_is_refused_at_the_start(options: dict[str, dict[str, str]]) -> None:
    """A misspelt agency or option stops an installation from starting, and is never passed over."""
    with pytest.raises(ValueError, match=r"no such agency|has no option"):
        adapters(options)
