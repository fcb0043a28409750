"""Settings, read once at start and handed in.

Each is an environment variable: `GATEWAY_STORE__DSN` is `settings.store.dsn`. Only `gateway/__main__.py` and the
command line read the environment; everything else is given what it needs.
"""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from gateway.errors import ConfigurationError

_ROOT = Path(__file__).parent.parent


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Store(_Group):
    """PostgreSQL. pool: connections a process may hold."""

    dsn: str = "postgresql+asyncpg://localhost/gateway"
    pool: int = Field(default=8, ge=3)


class Kafka(_Group):
    """The cluster. partitions and replicas apply to topics when they are created; prefix stands before every topic."""

    bootstrap: str = "localhost:9092"
    prefix: str = ""
    partitions: int = Field(default=12, ge=1)
    replicas: int = Field(default=1, ge=1)
    retention_days: int = Field(default=30, ge=1)


class Intake(_Group):
    """The front door. Sizes in bytes; settle is how long the immediate prison family waits for its reversal."""

    host: str = "127.0.0.1"
    port: int = 8080
    max_record: int = Field(default=1 << 20, ge=1024)
    max_file: int = Field(default=1 << 30, ge=1024)
    max_waiting: int = Field(default=2000, ge=1, description="records waiting for a commit before 429")
    max_batch: int = Field(default=500, ge=1)
    settle: timedelta = timedelta(minutes=45)


class Drop(_Group):
    """Folders files are laid in. look: how often one is looked at, whether or not the system tells of a change.

    quiet: how long a file must lie unchanged until it is taken. keep: how long it lies in `done` or `refused`.
    """

    look: timedelta = timedelta(seconds=5)
    quiet: timedelta = timedelta(seconds=2)
    keep: timedelta = timedelta(days=7)


class Mesh(_Group):
    """Our mailbox on the NHS's message exchange; polled where a url is set.

    password, shared_key: files that hold them. cert, key: of mutual TLS. ca: where the exchange's own is not enough.
    """

    url: str | None = None
    mailbox: str = ""
    password: Path | None = None
    shared_key: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    poll: timedelta = timedelta(minutes=1)
    timeout: timedelta = timedelta(minutes=1)


class Mllp(_Group):
    """Ports for HL7 v2, which the parties file opens. patience: how long a message may stall. idle: a connection.

    connections: how many a sender may hold open at once.
    """

    patience: timedelta = timedelta(seconds=30)
    idle: timedelta = timedelta(hours=12)
    connections: int = Field(default=32, ge=1)


class Filling(_Group):
    """Asking the sources of pointers. waits: after the first try, the second, ...; then operations decide.

    at_once: how many are asked for at the same time. lease: after how long a process that asks counts as dead.
    deadline: for one answer.
    """

    waits: tuple[timedelta, ...] = tuple(
        timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600, 43200, 86400, 86400)
    )
    at_once: int = Field(default=8, ge=1)
    lease: timedelta = timedelta(minutes=5)
    deadline: timedelta = timedelta(seconds=10)


class UniversalCredit(_Group):
    """Topics of Universal Credit, read where bootstrap is set. party: whose records they are; its agency is dwp.

    key_file: data keys by the id of what sealed them and their sealed form (JSON); or key_service, the address of
    Universal Credit's own. ca, certificate, key: of mutual TLS with both (PEM files). batch: documents taken together.
    """

    bootstrap: str | None = None
    topics: tuple[str, ...] = ("db.core.claimant", "db.core.contract", "db.core.statement")
    group: str = "lasars-gateway"
    party: str = "dwp"
    key_file: Path | None = None
    key_service: str | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    batch: int = Field(default=100, ge=1)


class Dispatch(_Group):
    """Addressing and courier. batch: events consumed in one transaction."""

    host: str = "127.0.0.1"
    port: int = 8081
    batch: int = Field(default=500, ge=1)
    instance: str = "dispatch-1"
    session_timeout: timedelta = timedelta(seconds=10)


class Delivery(_Group):
    """Patience: the waits between attempts, how long in all, and the share each wait may vary by."""

    waits: tuple[timedelta, ...] = tuple(
        timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200)
    )
    give_up_after: timedelta = timedelta(hours=72)
    jitter: float = Field(default=0.2, ge=0, lt=1)
    deadline: timedelta = timedelta(seconds=15)
    circuit: timedelta = timedelta(seconds=60)


class Local(_Group):
    """The embedded services."""

    data: Path = Path("data")
    kafka_jars: Path | None = None
    java: Path | None = None
    brokers: int = Field(default=1, ge=1)


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    store: Store = Store()
    kafka: Kafka = Kafka()
    intake: Intake = Intake()
    drop: Drop = Drop()
    mllp: Mllp = Mllp()
    mesh: Mesh = Mesh()
    filling: Filling = Filling()
    universal_credit: UniversalCredit = UniversalCredit()
    dispatch: Dispatch = Dispatch()
    delivery: Delivery = Delivery()
    local: Local = Local()
    parties: Path = Path("parties.toml")
    keys: Path = Path("keys.json")
    places: Path = _ROOT / "deploy" / "areas"
    agreements: Path = _ROOT / "contracts" / "agreements"
    issuer: str = Field(default="http://127.0.0.1:8080", description="the gateway's own address in tokens")
    adapters: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="by agency, an installation's choices"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    crash: str | None = Field(default=None, description="a failpoint, point:nth:mode; for tests of recovery")


def read_settings() -> Settings:
    """The settings of this environment. Raises ConfigurationError with the variable's name, and never its value."""
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_context=False, include_url=False)[0]
        name = "GATEWAY_" + "__".join(str(part).upper() for part in fault["loc"])
        raise ConfigurationError(f"The setting {name} is wrong: {fault['msg']}.", "Mend it, or unset it.") from None
    except SettingsError as error:
        raise ConfigurationError(f"A setting is not JSON: {error}.", "Mend it, or unset it.") from None
