"""`python -m bench`: the whole gateway against the bare loop, and translating against reading.

`gateway` asks four questions of both sides or of the gateway alone, on the same embedded PostgreSQL and Kafka:

    loop_ratio       deliveries a second, gateway to bare loop, in interleaved pairs; the median of the pairs' ratios
    p50_ms, p99_ms   from the sender's 202 to the recipient, at 100 records a second
    rss_growth_mib   what the gateway's processes grow by while 200,000 records pass
    growth           processor time of gateway and PostgreSQL a record, with 1,000,000 journalled against 10,000

Every run has a database and topics of its own. What is measured and why stands in contracts/decisions/0006.

`translation` needs neither, and asks one question of every format an agency sends:

    translation_...  how fast a message is translated, as a share of the speed of reading it with a library alone
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import translation
from bench.figures import median_ratio, percentile, table
from bench.formats import Format, formats, of_file
from bench.prefill import count, multiply
from bench.runs import Bench, Load, Run
from bench.sides import Bare, Gateway, Services
from gateway.collector import collect_seldom
from gateway.local import kafka, postgres
from gateway.local.children import Children
from gateway.local.errors import LocalError

SMALL, LARGE = 10_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run."""

    messages: int = 20_000
    pairs: int = 3
    warm_up: int = 4_000
    rate: float = 100.0
    seconds: int = 30
    flat: int = 200_000
    growth: bool = True
    growth_pairs: int = 3
    growth_messages: int = 5_000
    turns: int = 30


QUICK = Plan(messages=2_000, pairs=1, warm_up=1_000, seconds=5, flat=0, growth=False, turns=5)


class Comparison:
    """The four questions, on services that run."""

    def __init__(self, services: Services, bench: Bench, plan: Plan) -> None:
        self._services = services
        self._bench = bench
        self._plan = plan
        self._made = 0

    def _tag(self, what: str) -> str:
        self._made += 1
        return f"bench_{what}_{self._made}"

    async def ratio(self) -> float:
        """Interleaved pairs; the first, short one only warms Kafka and is not counted."""
        pairs: list[tuple[Run, Run]] = []
        for number in range(self._plan.pairs + 1):
            load = Load(self._plan.messages if number else self._plan.warm_up)
            runs = []
            for kind in (Gateway, Bare):
                say(f"{'pair ' + str(number) if number else 'warming up'}: {kind.name}")
                runs.append(await self._once(kind(self._services, self._tag(kind.name)), load))
            if number:
                pairs.append((runs[0], runs[1]))
        print(_pairs(pairs), end="\n\n")
        return median_ratio((gateway.rate, bare.rate) for gateway, bare in pairs)

    async def latency(self) -> tuple[float, float]:
        """p50 and p99 of gateway and bare loop at an even load; returned are the gateway's."""
        rows, found = [], (0.0, 0.0)
        for kind in (Bare, Gateway):
            say(f"latency: {kind.name}")
            side = kind(self._services, self._tag(kind.name))
            even = Load(int(self._plan.rate * self._plan.seconds), first=self._plan.warm_up, rate=self._plan.rate)
            await side.prepare()
            _, run = await self._bench.run(side, Load(self._plan.warm_up), even, timed=True)
            await side.forget()
            found = (percentile(run.waits, 0.5), percentile(run.waits, 0.99))
            rows.append(
                (kind.name, f"{self._plan.rate:g}", f"{found[0]:.1f}", f"{found[1]:.1f}", f"{max(run.waits):.1f}")
            )
        print(table(("latency", "records/s", "p50 ms", "p99 ms", "max ms"), rows), end="\n\n")
        return found

    async def flatness(self) -> float:
        """MiB by which the gateway's processes grow from the first tenth of the records to the last."""
        say(f"memory over {self._plan.flat} records")
        side = Gateway(self._services, self._tag("flat"))
        tenth = self._plan.flat // 10
        await side.prepare()
        runs = await self._bench.run(side, *(Load(tenth, first=tenth * number) for number in range(10)))
        await side.forget()
        rows = [(f"{(number + 1) * tenth}", f"{run.rss / 2**20:.0f}") for number, run in enumerate(runs)]
        print(table(("records", "MiB"), rows), end="\n\n")
        return (runs[-1].rss - runs[0].rss) / 2**20

    async def growth(self) -> float:
        """What a record costs on a large journal against a small one, both loaded in turn."""
        say(f"growth: {SMALL} records by the gateway")
        small = Gateway(self._services, self._tag("small"))
        await small.prepare()
        await self._bench.run(small, Load(SMALL))
        large = Gateway(self._services, self._tag("large"), like=small)
        await self._services.execute(f"create database {large.tag} template {small.tag}")
        await large.prepare_topics()
        say(f"growth: copied to {LARGE}")
        await multiply(self._services.dsn(large.tag), LARGE // SMALL)
        rows, costs, walls = [], [], []
        for number in range(self._plan.growth_pairs):
            load = Load(self._plan.growth_messages, first=SMALL + number * self._plan.growth_messages)
            runs = []
            for side in (small, large):
                journalled = await count(self._services.dsn(side.tag), "records")
                say(f"growth: {journalled} journalled")
                [run] = await self._bench.run(side, load)
                runs.append(run)
                rows.append((f"{journalled}", f"{run.cost:.0f}", f"{run.rate:.0f}"))
            costs.append((runs[1].cost, runs[0].cost))
            walls.append((runs[0].rate, runs[1].rate))
        print(table(("journalled", "us CPU/record", "deliveries/s"), rows))
        print(f"the same by the wall clock: {median_ratio(walls):.2f}", end="\n\n")
        for side in (small, large):
            await side.forget()
        return median_ratio(costs)

    async def _once(self, side: Gateway | Bare, load: Load) -> Run:
        await side.prepare()
        [run] = await self._bench.run(side, load)
        await side.forget()
        return run


def _pairs(pairs: Sequence[tuple[Run, Run]]) -> str:
    rows = []
    for number, pair in enumerate(pairs, 1):
        for run in pair:
            cpu = [f"{seconds / run.load.count * 1e6:.0f}" for seconds in run.cpu.values()]
            rows.append((f"{number} {run.side}", f"{run.rate:.0f}", f"{run.load.count / run.accepting:.0f}", *cpu))
        rows.append(("  ratio", f"{pair[0].rate / pair[1].rate:.2f}", "", "", "", "", ""))
    cost = median_ratio((sum(bare.cpu.values()), sum(gateway.cpu.values())) for gateway, bare in pairs)
    header = ("pair", "deliveries/s", "accepted/s", "intake us", "dispatch us", "PostgreSQL us", "Kafka us")
    return table(header, rows) + f"\nthe same by processor time a record: {cost:.2f}"


async def compare(services: Services, children: Children, plan: Plan) -> None:
    """Ask the questions and print the answers; the last lines are for machines."""
    comparison = Comparison(services, Bench(services, children), plan)
    ratio = await comparison.ratio()
    p50, p99 = await comparison.latency()
    flat = await comparison.flatness() if plan.flat else None
    growth = await comparison.growth() if plan.growth else None
    if flat is not None:
        print(f"rss_growth_mib={flat:.1f}")
    print(f"loop_ratio={ratio:.2f}")
    print(f"p50_ms={p50:.1f}")
    print(f"p99_ms={p99:.1f}")
    if growth is not None:
        print(f"growth={growth:.2f}")


def translate(plan: Plan, besides: Sequence[Format]) -> None:
    """Measure translating, of other messages besides our own examples too; the last lines are for machines."""
    say("translation")
    collect_seldom()  # as the processes do that translate
    speeds = translation.measure([*formats(), *besides], plan.turns)
    print(translation.report(speeds), end="\n\n")
    print(*translation.lines(speeds), sep="\n")


def _besides(given: str) -> Format:
    agency, _, path = given.partition("=")
    try:
        return of_file(agency, Path(path), datetime.now(UTC))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from None


def say(sentence: str) -> None:
    """Progress, beside the results."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)


def measure_gateway(plan: Plan) -> None:
    """Run the services and ask the four questions. Raises LocalError where a service does not start."""
    with tempfile.TemporaryDirectory(prefix="lgw-bench-") as name, Children(say) as children:
        folder = Path(name)
        database = postgres.start(folder / "postgres", say)
        children.keep(database)
        cluster = kafka.start(folder / "kafka", progress=say)
        children.keep(cluster)
        asyncio.run(compare(Services(database, cluster, folder), children, plan))


def main() -> int:
    """Run the bench. Returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="The whole gateway against the bare loop, and translating against reading."
    )
    parser.add_argument("what", nargs="?", choices=("gateway", "translation"), help="one of the two; both without it")
    parser.add_argument("--quick", action="store_true", help="2,000 messages, one pair, no growth: for development")
    parser.add_argument(
        "--xml",
        action="append",
        default=[],
        type=_besides,
        metavar="AGENCY=FILE",
        help="an XML message to translate besides; repeat it",
    )
    parser.add_argument("--pairs", type=int, help="pairs of runs whose ratio is taken")
    told = parser.parse_args()
    plan = QUICK if told.quick else Plan()
    if told.pairs:
        plan = Plan(**{**{name: getattr(plan, name) for name in Plan.__dataclass_fields__}, "pairs": told.pairs})
    try:
        if told.what != "translation":
            measure_gateway(plan)
        if told.what != "gateway":
            translate(plan, told.xml)
    except LocalError as error:
        print(f"{error} {error.fix}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
