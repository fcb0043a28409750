"""The topics, created explicitly and never by accident."""

from collections.abc import Iterable, Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from gateway.parties import Parties
from gateway.settings import Kafka
from schemas.catalogue import CATALOGUE

_DAY = 24 * 3600 * 1000


def canonical_topics(kafka: Kafka) -> tuple[str, ...]:
    """The topics that carry canonical events, one for each subject in the catalogue."""
    return tuple(sorted({kafka.prefix + kind.topic for kind in CATALOGUE.values()}))


def notice_topic(kafka: Kafka, recipient: str) -> str:
    """A recipient's own topic: notices only, ids and kind."""
    return f"{kafka.prefix}deliver.{recipient}.v1"


def all_topics(kafka: Kafka, parties: Parties) -> tuple[str, ...]:
    """Every topic this installation needs."""
    own = (notice_topic(kafka, party.id) for party in parties.recipients() if party.kafka)
    return (*canonical_topics(kafka), *sorted(own))


def _settings_of(kafka: Kafka) -> Mapping[str, str]:
    return {
        "retention.ms": str(kafka.retention_days * _DAY),
        "min.insync.replicas": "2" if kafka.replicas >= 3 else "1",
        "message.timestamp.type": "LogAppendTime",
    }


async def create_topics(kafka: Kafka, names: Iterable[str]) -> None:
    """Create those of these topics that are missing. Raises KafkaError if the cluster refuses one."""
    wanted = [
        NewTopic(name, kafka.partitions, kafka.replicas, topic_configs=dict(_settings_of(kafka))) for name in names
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in present]
        if missing:
            answer = await admin.create_topics(missing)
            for _, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)
    finally:
        await admin.close()
