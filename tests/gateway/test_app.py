"""What stops a process before it starts, and what it says."""

from pathlib import Path

import pytest

from gateway.app import read_feeds
from gateway.errors import ConfigurationError
from gateway.settings import Settings


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"probation": {"colour": "red"}}, "no option 'colour'"),
        ({"prison": {"family": "both"}}, "both"),
        ({"probation": {"case_api": "https://cases.example"}}, "token_url, client_id, client_secret_file"),
        ({"nobody": {}}, "no such agency: nobody"),
    ],
)
def test_an_option_that_is_none_stops_the_start_by_name(options: dict[str, dict[str, str]], said: str) -> None:
    """Whoever set it up reads which option is wrong, and where the options are listed."""
    with pytest.raises(ConfigurationError, match=said) as stopped:
        read_feeds(Settings(adapters=options))
    assert "GATEWAY_ADAPTERS" in stopped.value.fix


def test_a_secret_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    """A source that could never be asked is found out at the start, and not from a queue."""
    options = {
        "case_api": "https://cases.example",
        "token_url": "https://auth.example/token",
        "client_id": "lasars-gateway",
        "client_secret_file": str(tmp_path / "none"),
    }
    with pytest.raises(ConfigurationError, match="FileNotFoundError"):
        read_feeds(Settings(adapters={"probation": options}))
    (tmp_path / "none").write_text("now there is one")
    assert read_feeds(Settings(adapters={"probation": options}))["probation"].fetch is not None
