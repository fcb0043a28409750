"""Fuzzes one parser from the published examples on, for so many seconds, in a process of its own.

`python -m tests.support.fuzzing AGENCY DOOR MEDIA_TYPE FOLDER SECONDS` ends with 0 unless a message broke the parser or
hung it; that message is then `FOLDER/message`. A message that came to what none before it came to is an example from
then on, so that the way leads from rule to rule. The numbers of it are written as a line of JSON.
"""

import faulthandler
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.support.bombing import peak
from tests.support.mutation import mutated
from tests.support.parsers import Parser, registered, seeds

HANGS_AFTER = 5
"""Seconds for one message."""

EXAMPLES_KEPT = 1000


def fuzz(run: Callable[[bytes], str], examples: list[bytes], seconds: float, random: Random, message: Path) -> str:
    """Run it on mutations until the time is over; how much was done, as JSON. Raises what it raises.

    message: where each message is written before it is run.
    """
    corpus = list(examples)
    outcomes = {run(example) for example in examples}
    started, until, count, slowest = peak(), time.monotonic() + seconds, 0, 0.0
    with message.open("wb", buffering=0) as last:
        while time.monotonic() < until:
            changed = mutated(random.choice(corpus), random)
            os.pwrite(last.fileno(), changed, 0)
            last.truncate(len(changed))
            begun = time.monotonic()
            faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
            try:
                outcome = run(changed)
            finally:  # who calls this lives on, and must not be ended for a message that is over
                faulthandler.cancel_dump_traceback_later()
            slowest = max(slowest, time.monotonic() - begun)
            count += 1
            if outcome not in outcomes and len(corpus) < EXAMPLES_KEPT:
                outcomes.add(outcome)
                corpus.append(changed)
    return json.dumps(
        {"messages": count, "outcomes": len(outcomes), "slowest": round(slowest, 3), "bytes": peak() - started}
    )


def main(agency: str, door: str, media_type: str, folder: str, seconds: str) -> None:
    """Fuzz a parser of the registry."""
    parser, adapter = Parser(agency, door, media_type), registered()[agency]
    told = fuzz(
        lambda body: parser.run(adapter, body), seeds(agency), float(seconds), Random(), Path(folder, "message")
    )
    print(told)


if __name__ == "__main__":
    main(*sys.argv[1:])
