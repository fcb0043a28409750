"""Named places at which a process can be made to die, so that recovery is tested and not hoped for.

`GATEWAY_CRASH=point:nth:mode`: at the nth time the point is reached (1 is the first), `kill` sends SIGKILL to this
process, `stop` sends SIGSTOP (whoever runs the test sends SIGCONT), `raise` raises Crashed. A point stands between
every two neighbouring side effects; PROMISES.md section 13 names them.
"""

import os
import signal
from collections.abc import Callable

POINTS = frozenset(
    {
        *("I1", "I2", "I3", "I4", "I5", "I6"),
        *("F1", "F2", "F3", "F4", "F5"),
        *("R1", "R2", "R3", "R4"),
        *("T1", "T2", "T3", "T4", "T5", "T6"),
        *("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8"),
        *("M1", "M2", "M3", "M4"),
        *("A1", "A2", "A3"),
    }
)


class Crashed(BaseException):
    """A failpoint in mode raise was reached. Not an Exception, so that no handler takes it for a fault of the work."""


_armed: str | None = None
_left = 0
_act: Callable[[], None] | None = None
_told: Callable[[str], None] | None = None


def arm(setting: str | None) -> None:
    """Arm the point a setting names, or none. Raises ValueError for a setting that names no point of ours."""
    global _armed, _left, _act
    _armed, _left, _act = None, 0, None
    if not setting:
        return
    point, nth, mode = setting.split(":")
    if point not in POINTS or mode not in _MODES or int(nth) < 1:
        raise ValueError(f"GATEWAY_CRASH={setting} names no failpoint: point:nth:mode, mode kill, stop or raise")
    _armed, _left, _act = point, int(nth), _MODES[mode]


def armed(point: str) -> bool:
    """Whether this point is to act, or is watched; for a point inside what is otherwise done in one step."""
    return _told is not None or _armed == point


def watch(told: Callable[[str], None] | None) -> None:
    """Have somebody told of every point that is reached, or nobody any more: to see what lies between two of them."""
    global _told
    _told = told


def reach(point: str) -> None:
    """Say that this point is reached. Costs next to nothing when nothing is armed."""
    global _left, _armed
    if _told is not None:
        _told(point)
    if _armed is None or _armed != point:
        return
    _left -= 1
    if _left == 0:
        act, _armed = _act, None
        if act is not None:
            act()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _crash() -> None:
    raise Crashed


_MODES: dict[str, Callable[[], None]] = {"kill": _kill, "stop": _stop, "raise": _crash}
