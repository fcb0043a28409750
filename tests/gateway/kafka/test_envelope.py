"""Where on Kafka an event stands."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.chain import shard_of
from gateway.kafka.envelope import message_key, partition_of
from gateway.sealing import BlindIndex


@given(lane=st.binary(min_size=16, max_size=16), count=st.integers(1, 300))
def test_a_lane_has_one_partition(lane: bytes, count: int) -> None:
    """In whatever order its partitions are named, and whether or not one of them is away."""
    forth, back = list(range(count)), list(range(count))[::-1]
    assert partition_of(message_key(lane), forth, forth) == partition_of(message_key(lane), back, []) in forth


def test_lanes_are_spread_evenly() -> None:
    """Over all twelve partitions, those of one shard too."""
    lanes = [BlindIndex(bytes(32)).of("lane", str(number)) for number in range(12_000)]
    everywhere = Counter(partition_of(message_key(lane), range(12), range(12)) for lane in lanes)
    of_a_shard = Counter(partition_of(message_key(lane), range(12), ()) for lane in lanes if shard_of(lane) == 3)
    assert sorted(everywhere) == sorted(of_a_shard) == list(range(12))
    assert max(everywhere.values()) < 1.2 * min(everywhere.values())
