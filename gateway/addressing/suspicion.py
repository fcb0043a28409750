"""What killed the last run? Pure: how to take records so that one that kills a process is found within a few deaths.

After a run that died, what is worked on is counted first, and every record that comes first counts as under way in
that death. One that was never counted is taken with some neighbours, so that an ordinary death costs little; one that
was under way in a death that was counted is taken alone. So the third death strikes the culprit alone, and the innocent
beside it are not put aside: that would take two deaths by chance in a row, the second of them in the few milliseconds
in which that one record is worked on.
"""

from collections.abc import Sequence
from itertools import pairwise

UNCOUNTED_DEATHS = 1
"""Deaths before anything was counted: the one that made us careful."""

TOGETHER = 32
"""How many records that were never counted are taken together: as many go one by one after the next death."""


def groups(counts: Sequence[int]) -> list[slice]:
    """Cut a batch into what is taken together, in order. counts: how often each record was counted before."""
    cuts = [0]
    for place in range(1, len(counts)):
        if counts[place] or counts[cuts[-1]] or place - cuts[-1] == TOGETHER:
            cuts.append(place)
    return [slice(begin, end) for begin, end in pairwise([*cuts, len(counts)])] if counts else []
