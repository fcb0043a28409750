"""What the bench says is what was measured."""

from bench.figures import median_ratio, percentile, table, waits


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """Nearest rank: of a hundred values the 99th percentile is the 99th, and of one every percentile is that one."""
    assert percentile([float(value) for value in range(100, 0, -1)], 0.99) == 99
    assert percentile([float(value) for value in range(1, 11)], 0.5) == 5
    assert percentile([7.0], 0.99) == 7


def test_the_ratio_is_taken_pair_by_pair() -> None:
    """A machine that becomes slow for one pair changes neither that pair's ratio nor the median."""
    assert median_ratio([(60, 100), (6, 10), (70, 100)]) == 0.6


def test_a_wait_is_from_its_records_acceptance() -> None:
    """Both deliveries of one record are counted from the one acceptance."""
    assert waits({"r": 10.0}, {"d": 10.002, "e": 10.005}, {"d": "r", "e": "r"}) == [
        (10.002 - 10.0) * 1000,
        (10.005 - 10.0) * 1000,
    ]


def test_a_table_is_aligned() -> None:
    """Names stand to the left, figures to the right."""
    assert table(("side", "rate"), [("bare", "5"), ("gateway", "1234")]) == (
        "side     rate\n-------  ----\nbare        5\ngateway  1234"
    )
