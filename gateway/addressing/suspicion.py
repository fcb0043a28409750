"""What killed the last run? Pure: how to take records so that one that kills a process is found within a few deaths.

After a run that died, what is worked on is counted first. A record that was never counted is taken with its
neighbours, so that an ordinary death costs next to nothing; one that was under way in a death is taken with fewer, and
then alone. So the culprit stands alone after two more deaths, and the innocent beside it are never put aside.
"""

from collections.abc import Sequence
from itertools import pairwise

_AT_ONCE = {0: 500, 1: 16}
"""How many records may be taken together, by how often each was under way in a death; more often than that: one."""


def groups(counts: Sequence[int]) -> list[slice]:
    """Cut a batch into what is taken together, in order. counts: how often each record was counted before."""
    cuts = [0]
    for place in range(1, len(counts)):
        if counts[place] != counts[cuts[-1]] or place - cuts[-1] == _AT_ONCE.get(counts[place], 1):
            cuts.append(place)
    return [slice(begin, end) for begin, end in pairwise([*cuts, len(counts)])] if counts else []
