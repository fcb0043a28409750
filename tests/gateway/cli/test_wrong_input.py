"""Whoever gives a command something wrong is told in one line what is wrong and what to do, and which kind it is."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import telemetry
from gateway.cli import main
from gateway.connecting.keys import new_key, write_key
from gateway.local import ports
from gateway.local.installation import prepare
from gateway.settings import Kafka, Settings, Store

RECORD = Path(__file__).parents[3] / "contracts" / "inbound" / "police_custody" / "examples" / "accepted" / "tests.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a key, where the commands are given; nothing of this machine's settings is seen there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(telemetry, "configure", lambda *_, **__: None)
    write_key(tmp_path / "key.json", new_key("my-force", "Ed25519", datetime.now(UTC) + timedelta(days=1)))
    (tmp_path / "first.csv").write_bytes(RECORD.read_bytes())
    (tmp_path / "folder").mkdir()
    return tmp_path


def lgw(monkeypatch: pytest.MonkeyPatch, *command: str) -> int:
    """Give a command; its exit code."""
    monkeypatch.setattr(sys, "argv", ["lgw", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


SOMETHING = "01a203a8-9b29-732d-be9a-3600ae26822a"
AGENCIES = "Choose one of: dwp, gp, police_custody, prison, probation, self_referral."
NO_SYSTEM = "There is no local system in data/up. Start one with lgw up --data data/up."
WRONG = {
    "check first.csv --as police": f"There is no agency 'police'. {AGENCIES}",
    "translate first.csv --as police": f"There is no agency 'police'. {AGENCIES}",
    "send first.csv --as police": f"There is no agency 'police'. {AGENCIES}",
    "keys new --client x --as police --data d": f"There is no agency 'police'. {AGENCIES}",
    "check folder": "The files in folder may be of several agencies. Say whose, with --as: dwp, gp,",
    "check first.csv --as gp": "first.csv is no kind of file that gp sends. Its files end in .edi, .hl7, .json, .xml.",
    "send nowhere.csv --as police_custody": "There is no file nowhere.csv. Name one that is there.",
    "send first.csv --as gp": "first.csv is no kind of file that gp sends. Its files end in .edi, .hl7, .json, .xml.",
    "send first.csv --as police_custody": NO_SYSTEM,
    "send first.csv --as police_custody --gateway here --client c --key key.json": (
        "--gateway takes an address, and 'here' is none. Write it as https://host/path."
    ),
    "send first.csv --as police_custody --gateway http://h": (
        "--gateway is signed in to by a client with its key. Give --client and --key with it, and no --data."
    ),
    "trigger": "No kind is named. See which there are with lgw trigger --list.",
    "trigger custody.charged --send": NO_SYSTEM,
    "token met-police": NO_SYSTEM,
    "keys new --client x --data d": (
        "--data and --as belong together. Give both to register the key in a local system, or neither."
    ),
    "listen --to here --gateway http://h --client c --key key.json": (
        "--to takes an address, and 'here' is none. Write it as https://host/path."
    ),
    "verify-signature nowhere.txt": (
        "nowhere.txt cannot be used (No such file or directory). Check its path, and who may use it."
    ),
    "verify-signature first.csv": "There is no empty line between headers and body. Paste the headers,",
    "recipient-kit --to here": "--to takes an address, and 'here' is none. Write it as https://host/path.",
    "recipient-kit --to http://h --serve 8090": "--serve takes a host and a port. Write it as 127.0.0.1:8090.",
    "conform police": f"There is no agency 'police'. {AGENCIES}",
    "trace nonsense --data data/up": NO_SYSTEM,
    "queue --reason perhaps": "There is no reason 'perhaps'. Choose one of: body_unreadable, code_not_mapped,",
    "series a --data data/up": "Name a sender, a series and --next, or none. lgw series lists what there is.",
}


@pytest.mark.parametrize(("command", "told"), WRONG.items())
def test_a_wrong_call_is_told_what_is_wrong_and_what_to_do(
    command: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 2, says so on stderr in one line, and answers nothing."""
    if command.startswith("conform"):
        command = f"{command} --gateway http://h --client c --key key.json"
    assert lgw(monkeypatch, *command.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(told)
    assert said.err.endswith(".\n")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("owner", ["nobody", ""])
def test_an_owner_there_is_none_of_is_no_empty_queue(
    owner: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word misspelled would otherwise read as "Nothing is waiting"."""
    assert lgw(monkeypatch, "queue", "--owner", owner) == 2
    assert "operations" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["conform gp", "trigger custody.charged --send", "listen --to http://127.0.0.1:9/x"]
)
def test_a_gateway_nobody_reaches_ends_with_3(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Soon, and by its address: no case of conformance is said to have failed, and nobody waits in silence."""
    monkeypatch.setattr("gateway.connecting.retrying.STARTING", 0.1)
    (port,) = ports.free(1)
    url = f"http://127.0.0.1:{port}"
    told = lgw(monkeypatch, *command.split(), "--gateway", url, "--client", "c", "--key", "key.json")
    said = capsys.readouterr()
    assert (told, said.out) == (3, "")
    assert said.err.startswith(f"{url} cannot be reached (ConnectError). Is its address right, and does it run?")


@pytest.mark.parametrize(
    "command", ["status", "queue", f"trace {SOMETHING}", f"redrive {SOMETHING}", "series", "rebuild"]
)
def test_a_local_system_that_does_not_run_is_named_as_such(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its socket is gone and its ports are closed; neither is what a person has to mend."""
    local = folder / "local"
    local.mkdir()
    own = prepare(local, lambda _: 1)
    (port,) = ports.free(1)
    own.remember(
        Settings(
            store=Store(dsn=f"postgresql+asyncpg://postgres@/gateway?host={local}"),
            kafka=Kafka(bootstrap=f"127.0.0.1:{port}"),
            parties=own.parties,
            keys=own.keys,
        )
    )
    assert lgw(monkeypatch, *command.split(), "--data", "local") == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "The local system in local cannot be reached (it does not run). Start it with lgw up --data local.\n"
    )


def test_kafka_that_does_not_answer_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only Kafka is asked about ends like everything else that cannot be reached."""
    (port,) = ports.free(1)
    monkeypatch.setenv("GATEWAY_KAFKA__BOOTSTRAP", f"127.0.0.1:{port}")
    monkeypatch.setenv("GATEWAY_PARTIES", str(prepare(folder, lambda _: 1).parties))
    assert lgw(monkeypatch, "rebuild") == 3
    assert capsys.readouterr().err.startswith(f"Kafka at 127.0.0.1:{port} cannot be reached (KafkaConnectionError). ")


def test_it_says_which_release_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for help is asked for it first."""
    assert lgw(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("lasars-gateway ")
