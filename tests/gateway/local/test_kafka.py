import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from gateway.local import kafka, metadata, ports
from gateway.local.errors import ChildDied, ClusterOfOtherSize, FolderInUse, JarMissing, JavaMissing

CLUSTER = kafka.Cluster(id="MkU3OEVBNTcwNTJENDM2Qg", places=((9001, 9101), (9002, 9102), (9003, 9103)))


def read(text: str) -> dict[str, str]:
    """A properties file as a dictionary."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_cluster_is_remembered_as_it_was() -> None:
    """What a folder remembers of its cluster is read as it was written."""
    assert kafka.Cluster.load(CLUSTER.dump()) == CLUSTER


def test_no_cluster_is_named_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """One id in 64 would begin with a dash, which Kafka's tools refuse: another is taken."""
    made = iter([uuid.UUID(bytes=b"\xf8" * 16), uuid.UUID(bytes=b"\x01" * 16)])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(made))
    assert kafka.Cluster.new(1).id == "AQEBAQEBAQEBAQEBAQEBAQ"


def test_three_brokers_survive_one() -> None:
    """Of three brokers every one votes and every internal topic has three copies, of which one may be missing."""
    lines = read(kafka.properties(CLUSTER, 2, Path("/data")))
    assert lines["controller.quorum.voters"] == "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    assert lines["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9002"
    assert lines["offsets.topic.replication.factor"] == lines["transaction.state.log.replication.factor"] == "3"
    assert lines["min.insync.replicas"] == lines["transaction.state.log.min.isr"] == "2"


def test_one_broker_asks_for_one_copy() -> None:
    """A single broker asks for no copy it cannot have, and creates no topic by accident."""
    lines = read(kafka.properties(kafka.Cluster(id="x", places=((9001, 9101),)), 1, Path("/data")))
    assert lines["offsets.topic.replication.factor"] == lines["min.insync.replicas"] == "1"
    assert lines["auto.create.topics.enable"] == "false"


def test_a_java_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A Java that does not exist is reported by its path, before anything is made."""
    with pytest.raises(JavaMissing, match="There is no Java at /no/java"):
        kafka.start(tmp_path / "kafka", java=Path("/no/java"))
    assert not (tmp_path / "kafka").exists()


def test_an_empty_folder_of_jars_is_refused(tmp_path: Path) -> None:
    """A folder of jars that lacks one is refused by that jar's name; nothing is fetched instead."""
    with pytest.raises(JarMissing, match=r"The jar HdrHistogram-.*\.jar is not in"):
        kafka.start(tmp_path / "kafka", jar_folder=tmp_path)


def test_a_cluster_does_not_change_its_size(tmp_path: Path) -> None:
    """A folder that holds three brokers is not started as one."""
    (tmp_path / "cluster.json").write_text(CLUSTER.dump())
    with pytest.raises(ClusterOfOtherSize, match=r"holds a Kafka cluster of 3 broker\(s\), and 1 were asked for"):
        kafka.start(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for Kafka."""
    return tmp_path_factory.mktemp("kafka")


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[kafka.EmbeddedKafka]:
    """One broker on that folder."""
    with kafka.start(folder) as broker:
        yield broker


async def write(bootstrap: str, topic: str, value: bytes) -> None:
    """Create a topic and write one record that every copy has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, value)


async def values(bootstrap: str, topic: str) -> list[bytes | None]:
    """Everything in partition 0 of a topic."""
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        if topic not in await consumer.topics():
            return []
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[bytes | None] = []
        while len(found) < end:
            found.append((await consumer.getone()).value)
        return found


@pytest.mark.services
class TestBroker:
    """One broker, shared by the tests; each leaves it running."""

    def test_it_answers_and_knows_itself(self, broker: kafka.EmbeddedKafka) -> None:
        """A broker that was started answers, and names itself."""
        host, port = broker.bootstrap.split(":")
        assert metadata.ask(host, int(port)) == {1}

    def test_a_second_start_on_its_folder_is_refused(self, broker: kafka.EmbeddedKafka) -> None:
        """A second start on a folder in use is refused with who has it, and harms nothing."""
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
            kafka.start(broker.folder)
        broker.check()

    async def test_what_was_acknowledged_survives_kill_9(self, broker: kafka.EmbeddedKafka) -> None:
        """After kill -9 and a restart on the same ports, what was acknowledged is there."""
        await write(broker.bootstrap, "survives", b"kept")
        before = broker.bootstrap
        broker.kill()
        broker.restart()
        assert broker.bootstrap == before
        assert await values(broker.bootstrap, "survives") == [b"kept"]

    async def test_wiped_it_comes_back_empty(self, broker: kafka.EmbeddedKafka) -> None:
        """Wiped, it comes back on the same ports with nothing in it."""
        await write(broker.bootstrap, "wiped", b"lost")
        before = broker.bootstrap
        broker.wipe()
        assert broker.bootstrap == before
        assert await values(broker.bootstrap, "wiped") == []

    def test_it_stays_small(self, broker: kafka.EmbeddedKafka) -> None:
        """A broker at rest takes less than 250 MB of proportional memory, so that the whole demo fits in 1.5 GiB."""
        (pid,) = broker.pids
        memory = psutil.Process(pid).memory_full_info()
        assert getattr(memory, "pss", memory.rss) < 250 << 20


@contextmanager
def started_by_another_process(folder: Path) -> Iterator[str]:
    """Kafka, started by a process that is killed in the end; yields its bootstrap servers."""
    script = (
        "import sys, pathlib, gateway.local.kafka as k;"
        "c = k.start(pathlib.Path(sys.argv[1])); print(c.bootstrap, flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        yield parent.stdout.readline().strip()
        (broker,) = psutil.Process(parent.pid).children()
        parent.send_signal(signal.SIGKILL)
    broker.wait(timeout=20)


@pytest.mark.services
@pytest.mark.slow
async def test_a_folder_is_found_again_on_other_ports(tmp_path: Path) -> None:
    """A second start finds the first one's records, though its parent was killed and one of its ports is taken now."""
    with started_by_another_process(tmp_path) as bootstrap:
        await write(bootstrap, "kept", b"found")
    port = int(bootstrap.split(":")[1])
    with socket.create_server((ports.LOOPBACK, port)), kafka.start(tmp_path) as second:
        assert second.bootstrap != bootstrap
        assert await values(second.bootstrap, "kept") == [b"found"]


@pytest.mark.services
@pytest.mark.slow
def test_a_broker_that_cannot_start_says_why(folder: Path, broker: kafka.EmbeddedKafka, tmp_path: Path) -> None:
    """Where Kafka refuses its storage, the error carries Kafka's own last words and where its log is."""
    spoiled = tmp_path / "spoiled"
    shutil.copytree(folder, spoiled, ignore=shutil.ignore_patterns("data"))
    (spoiled / "broker-1" / "data").mkdir()
    with pytest.raises(ChildDied, match=r"Kafka broker 1 has ended by itself .* meta\.properties") as died:
        kafka.start(spoiled)
    assert str(spoiled) in died.value.fix
