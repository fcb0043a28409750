"""`lgw doctor`: each thing that is wrong has a sentence and what to do about it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.connecting.keys import new_key, public_half
from gateway.local import ports
from gateway.operations.doctor import Examined, examine
from gateway.settings import Dispatch, Intake, Kafka, Settings, Store

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def parties(folder: Path, *ends: datetime | None) -> Path:
    """A parties file of one force, whose client has a key for each of these ends."""
    keys = []
    for number, end in enumerate(ends):
        members = {**public_half(new_key("my-force", "Ed25519", end or NOW)), "kid": f"key-{number}"}
        if end is None:
            del members["exp"]
        keys.append(", ".join(f"{name} = {json.dumps(value)}" for name, value in members.items()))
    file = folder / "parties.toml"
    file.write_text(
        '[parties.my-force]\nname = "A force"\nagency = "police_custody"\n'
        f'clients = [{{ id = "my-force", keys = [{", ".join(f"{{ {key} }}" for key in keys)}] }}]\n'
    )
    return file


async def examined(folder: Path, file: Path) -> dict[str, Examined]:
    """All that is looked at, where nothing runs."""
    intake, dispatch, nobody = ports.free(3)
    settings = Settings(
        store=Store(dsn=f"postgresql+asyncpg://127.0.0.1:{nobody}/gateway"),
        kafka=Kafka(bootstrap=f"127.0.0.1:{nobody}"),
        intake=Intake(port=intake),
        dispatch=Dispatch(port=dispatch),
        parties=file,
        keys=folder / "keys.json",
    )
    return {one.name: one async for one in examine(settings, lambda: NOW, folder)}


async def test_what_is_wrong_is_told_with_what_to_do(tmp_path: Path) -> None:
    """Services that do not answer and files that are not there are named; nothing stops the look at the rest."""
    told = await examined(tmp_path, tmp_path / "nowhere.toml")
    wrong = {name for name, one in told.items() if not one.well}
    assert wrong == {"keys", "parties", "postgresql", "kafka"}
    assert {"python", "version", "disk"} < told.keys()
    assert all(bool(one.fix) is not one.well for one in told.values())
    assert "GATEWAY_STORE__DSN" in told["postgresql"].fix


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ((29,), "1 party, 1 client; the last key ends of my-force on 21 Dec 2026"),
        ((-1,), "1 party, 1 client; the last key ends of my-force on 21 Nov 2026"),
        ((-1, 5), "1 party, 1 client; the last key ends of my-force on 27 Nov 2026"),
        ((31,), None),
        ((5, 365), None),
        ((5, None), None),
    ],
)
async def test_a_client_whose_last_key_ends_soon_is_told_in_time(
    tmp_path: Path, days: tuple[int | None, ...], told: str | None
) -> None:
    """Thirty days before it is locked out; a second key that lasts longer, or without an end, is enough."""
    ends = (None if day is None else NOW + timedelta(days=day) for day in days)
    one = (await examined(tmp_path, parties(tmp_path, *ends)))["parties"]
    assert (one.well, one.told) == (told is None, told or "1 party, 1 client")
