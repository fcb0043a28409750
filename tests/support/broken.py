"""Gateways that are broken on purpose: each breaks one promise, so that the checker can be seen to see it.

`BROKEN_BUILD=name` with the arguments of `python -m gateway`. A fault is planted from outside, by replacing a function
of what is otherwise the real process.
"""

import os
import sys
import uuid
from collections.abc import Callable, Mapping
from typing import Any

VARIABLE = "BROKEN_BUILD"
MODULE = "tests.support.broken"


def swallows_records() -> None:
    """The courier says that it delivered, and did not: some records reach nobody."""
    _swallow(lambda delivery: _some(delivery.record_id))


def swallows_for_holding() -> None:
    """The courier says that it delivered, and did not: some records reach home only."""
    _swallow(lambda delivery: delivery.role == "holding" and _some(delivery.record_id))


def answers_before_the_commit() -> None:
    """The journal says that a record is on disk, and has not written it."""
    from gateway.intake.entry import Taken
    from gateway.intake.journal import Journal

    real = Journal.commit

    async def commit(self: Any, entries: Any) -> list[Any]:
        written = iter(await real(self, [entry for entry in entries if entry.transport[0] % 4]))
        return [
            next(written) if entry.transport[0] % 4 else Taken(uuid.uuid4(), "translated", repeat=False)
            for entry in entries
        ]

    _replace(Journal, "commit", commit)


def delivers_under_a_new_id() -> None:
    """A delivery is attempted twice, and has another id each time."""
    from gateway.delivery import courier, signing

    real = courier.Courier.attempt

    async def attempt(self: Any, delivery: Any) -> Any:
        await real(self, delivery)
        return await real(self, delivery)

    def sign(signer: Any, _: str, now: Any, body: bytes) -> dict[str, str]:
        return signing.sign(signer, str(uuid.uuid4()), now, body)

    _replace(courier.Courier, "attempt", attempt)
    _replace(courier, "sign", sign)


def forgets_the_order() -> None:
    """What was read of a queue is put into its lanes from the end."""
    from gateway.delivery.lanes import Lanes

    real = Lanes.add

    def add(self: Any, page: Any, now: Any) -> None:
        real(self, page[::-1], now)
        self.cursor = page[-1].position if page else self.cursor

    _replace(Lanes, "add", add)


def sends_to_the_neighbour() -> None:
    """What is owed to one area goes to another."""
    from gateway.parties import Parties

    real = Parties.lasars_of

    def lasars_of(self: Any, area: str) -> Any:
        return real(self, "enfield" if area == "stockport" else area)

    _replace(Parties, "lasars_of", lasars_of)


def signs_something_else() -> None:
    """The signature is not over what is sent."""
    from gateway.delivery import courier, signing

    def sign(signer: Any, name: str, now: Any, body: bytes) -> dict[str, str]:
        return signing.sign(signer, name, now, body + b" ")

    _replace(courier, "sign", sign)


def changes_a_byte() -> None:
    """What is sent is not what is kept."""
    from gateway.delivery.courier import Courier

    real = Courier._body

    def body(self: Any, delivery: Any) -> Any:
        told = real(self, delivery)
        return told.replace(b'"recorded":"2', b'"recorded":"3', 1) if isinstance(told, bytes) else told

    _replace(Courier, "_body", body)


def changes_what_is_said() -> None:
    """What a recipient is told is not what was sent, in the store and on the way alike."""
    from gateway.addressing import document, post

    real = document.written

    def written(*told: Any) -> bytes:
        return real(*told).replace(b'"surname":"', b'"surname":"X', 1)

    _replace(post, "written", written)


def commits_before_the_work() -> None:
    """Offsets are committed first, and then the process dies: what was under way is decided by nobody."""
    from gateway.addressing import subscriber

    async def commit_then_settle(_consumer: Any, records: Any, offsets: Any) -> None:
        offsets.decided(records)
        await offsets.settled()
        os._exit(1)

    _replace(subscriber, "settle_then_commit", commit_then_settle)


BUILDS: Mapping[str, Callable[[], None]] = {
    build.__name__: build
    for build in (
        swallows_records,
        swallows_for_holding,
        answers_before_the_commit,
        delivers_under_a_new_id,
        forgets_the_order,
        sends_to_the_neighbour,
        signs_something_else,
        changes_a_byte,
        changes_what_is_said,
        commits_before_the_work,
    )
}


def _replace(owner: Any, name: str, by: Any) -> None:
    """Replace a function that is there."""
    assert callable(getattr(owner, name))
    setattr(owner, name, by)


def _some(record: uuid.UUID) -> bool:
    """One record in four."""
    return record.bytes[-1] % 4 == 0


def _swallow(swallowed: Callable[[Any], bool]) -> None:
    """A courier that makes no attempt for some deliveries, and says that it did."""
    from gateway.delivery.courier import Courier
    from gateway.delivery.outcome import Offered

    real = Courier.attempt

    async def attempt(self: Any, delivery: Any) -> Any:
        return Offered(204) if swallowed(delivery) else await real(self, delivery)

    _replace(Courier, "attempt", attempt)


def main(argv: list[str]) -> int:
    """Plant the fault, and run."""
    from gateway.__main__ import main as run

    BUILDS[os.environ.pop(VARIABLE)]()
    return run(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
