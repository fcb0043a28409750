"""Settings are read once, and a wrong one is named."""

from datetime import timedelta

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import read_settings


def test_a_setting_is_a_variable_of_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """GATEWAY_INTAKE__SETTLE is settings.intake.settle; what is not set keeps its default."""
    monkeypatch.setenv("GATEWAY_INTAKE__SETTLE", "PT1S")
    monkeypatch.setenv("GATEWAY_ADAPTERS", '{"prison": {"family": "immediate"}}')
    settings = read_settings()
    assert settings.intake.settle == timedelta(seconds=1)
    assert settings.intake.port == 8080
    assert settings.adapters == {"prison": {"family": "immediate"}}


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("GATEWAY_STORE__POOL", "Oakenfold", "GATEWAY_STORE__POOL"),
        ("GATEWAY_STORE__DSN_", "Oakenfold", "GATEWAY_STORE__DSN_"),
        ("GATEWAY_LOG_LEVEL", "Oakenfold", "GATEWAY_LOG_LEVEL"),
        ("GATEWAY_KAFKA__PARTITIONS", "0", "GATEWAY_KAFKA__PARTITIONS"),
        ("GATEWAY_ADAPTERS", "Oakenfold", "adapters"),
    ],
)
def test_a_wrong_setting_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str
) -> None:
    """A value may be a secret: only the variable is told."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as told:
        read_settings()
    assert named in str(told.value)
    assert "Oakenfold" not in str(told.value)
