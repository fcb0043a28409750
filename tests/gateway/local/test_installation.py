import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.local.cast import AGENCIES, LASARS
from gateway.local.installation import Installation, environment, prepare, settings_of
from gateway.parties import load_parties
from gateway.sealing import Secrets
from gateway.settings import Intake, Settings, Store


def test_what_was_made_once_stays(tmp_path: Path) -> None:
    """A second start keeps secrets and client keys, and writes the parties anew for the ports of now."""
    first = prepare(tmp_path, lambda _: 1111)
    before = Secrets.read(first.keys), first.key("met-police")
    second = prepare(tmp_path, lambda _: 2222)
    assert (Secrets.read(second.keys), second.key("met-police")) == before
    assert "2222" in second.parties.read_text()
    assert "1111" not in second.parties.read_text()


def test_everybody_takes_part(tmp_path: Path) -> None:
    """Each agency and each LASARS is a party with one client, whose public key alone is in the parties file."""
    own = prepare(tmp_path, lambda lasars: 1000 + len(lasars.area))
    parties = load_parties(own.parties)
    assert {party.id for party in parties.all} == {one.id for one in (*AGENCIES, *LASARS)}
    for party in parties.all:
        (client,) = party.clients
        (public,) = client.keys
        private = own.key(client.id)
        assert public["x"] == private["x"]
        assert private["d"] not in own.parties.read_text()
    for lasars in LASARS:
        party = parties.party(lasars.id)
        assert party is not None
        assert party is parties.lasars_of(lasars.area)
        url = f"http://127.0.0.1:{1000 + len(lasars.area)}/{lasars.id}"
        assert (party.push.url if party.push else None) == (url if lasars.push else None)


def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine can read a key, or enter the folder of client keys."""
    own = prepare(tmp_path, lambda _: 1111)
    own.remember(Settings())
    for file in (own.keys, own.key_file("hmp-lincoln"), tmp_path / "settings.json"):
        assert file.stat().st_mode & 0o777 == 0o600
    assert own.key_file("any").parent.stat().st_mode & 0o777 == 0o700


def test_commands_find_the_settings_of_the_system_that_runs(tmp_path: Path) -> None:
    """What was remembered is read back whole."""
    settings = Settings(store=Store(dsn="postgresql+asyncpg://x/y"), intake=Intake(settle=timedelta(seconds=1)))
    Installation(tmp_path).remember(settings)
    assert settings_of(tmp_path) == settings


def test_a_folder_without_a_system_is_named(tmp_path: Path) -> None:
    """A sentence and a fix, where nothing was ever started or a client is not known."""
    with pytest.raises(ConfigurationError, match="no local system"):
        settings_of(tmp_path)
    with pytest.raises(ConfigurationError, match="no key of a client nobody"):
        Installation(tmp_path).key("nobody")


def test_a_process_reads_exactly_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a process gives back the settings it was made from, whatever our own environment says."""
    monkeypatch.setenv("GATEWAY_LOG_LEVEL", "ERROR")
    settings = Settings(
        log_level="DEBUG",
        adapters={"prison": {"family": "immediate"}},
        intake=Intake(settle=timedelta(seconds=1), port=1234),
        parties=Path("some/where.toml"),
    )
    told = environment(settings)
    for name in os.environ:
        if name.startswith("GATEWAY_"):
            monkeypatch.delenv(name)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
    assert json.loads(told["GATEWAY_ADAPTERS"]) == {"prison": {"family": "immediate"}}
