"""`lgw rebuild`: Kafka's topics again, from the journal.

Kafka may be wiped at any time: the journal is the truth. The topics are created where they are missing, and events
are put back in line for the relay in the order of their commits. What was decided before is known by its id and has
no second effect.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.kafka.relay import notify
from gateway.kafka.topics import all_topics, create_topics
from gateway.parties import Parties
from gateway.settings import Kafka
from gateway.store import outbox


async def rebuild(engine: AsyncEngine, kafka: Kafka, parties: Parties, now: datetime, *, everything: bool) -> int:
    """Create missing topics and put events back in line; returns how many.

    everything: all events the journal still has, and not only those that nobody has decided yet. Raises KafkaError.
    """
    await create_topics(kafka, all_topics(kafka, parties))
    async with engine.begin() as connection:
        count = await outbox.publish_again(connection, now, everything=everything)
    await notify(engine)
    return count
