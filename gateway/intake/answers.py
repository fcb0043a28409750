"""Answers in an agency's own protocol, where it defines them: what became of a record, told to its adapter."""

from datetime import datetime

from adapters.base import Adapter, Answered, Fate, Ignored, Message, Reply
from gateway.intake.entry import Clash
from gateway.intake.record import RecordRefused, RecordTaken


def answered(became: RecordTaken | RecordRefused, at: datetime) -> Answered:
    """What an answer to a record tells."""
    if isinstance(became, RecordRefused):
        return Answered(Fate.REFUSED, at, became.refusal_id, became.findings)
    taken = became.taken
    if isinstance(taken, Clash):
        return Answered(Fate.CLASHED, at, taken.record_id)
    findings = () if isinstance(became.outcome, Ignored) else became.outcome.findings
    return Answered(Fate.REPEATED if taken.repeat else Fate.COMMITTED, at, taken.record_id, findings)


def replies(adapter: Adapter, message: Message, told: Answered) -> tuple[Reply, ...]:
    """The answers of the message's protocol; none where it has none, or wants none."""
    answer = adapter.answers.get(message.media_type)
    return answer(message, told) if answer is not None else ()
