"""The cases a feed must pass before it goes live, tried against a running gateway with invented people.

They are made of the contract's own examples and of what the agency's adapter says of them here, so every agency has
them as soon as it has examples; a case that a feed has no message for is listed as such, with the reason.
"""

from gateway.clock import Clock
from gateway.connecting.access_cases import AccessCases, Keys
from gateway.connecting.case import NotTried, Row, Tried
from gateway.connecting.effect_cases import EffectCases
from gateway.connecting.fault_cases import FaultCases
from gateway.connecting.feed import Feed
from gateway.connecting.order_cases import OrderCases
from gateway.connecting.sign_in import Identity


def cases(feed: Feed, who: Identity, keys: Keys, clock: Clock) -> list[Row]:
    """The cases of one feed, in their order. who: the client that sends it."""
    access, effects = AccessCases(feed.client, who, keys, clock), EffectCases(feed)
    order, faults = OrderCases(feed, clock), FaultCases(feed)
    return [
        ("signing in", "Without a token nothing is answered; with the client's key there is one.", access.signs_in),
        ("unknown key", "A key that is not registered opens nothing.", access.unknown_key),
        ("expired key", "A key that is past its end opens nothing.", access.expired_key),
        ("repeat", "A record sent twice under one message id has one effect.", effects.repeat),
        ("message id used twice", "Another body under the same message id is refused.", effects.id_reused),
        ("versions out of order", "An older version that comes late changes nothing.", order.out_of_order),
        ("late record", "What happened more than 90 days ago is taken.", order.late),
        ("correction", "A later version of a fact corrects the first.", order.correction),
        ("deletion", "A fact can be taken back.", order.deletion),
        ("too large", "A record above the limit is refused before it is read.", faults.oversize),
        ("wrong encoding", "Bytes that are no text are treated as the contract says.", faults.encoding),
        ("unknown code", "A code on no list is held by name, and never guessed.", faults.unknown_code),
        ("missing field", "What is missing is refused, every fault named by its rule.", faults.missing),
        ("answer 429", "The sender waits as Retry-After asks.", _theirs),
        ("answer 503", "The sender waits as Retry-After asks.", _theirs),
        ("clock ten minutes off", "An assertion of a clock that is wrong is refused.", access.clock_off),
        ("receipts", "Accepted, held and refused are told apart, with reasons.", faults.receipts),
        ("change of keys", "While keys change, the old and the new one both serve.", access.rotation),
        ("replay of a day", "Everything sent again has no further effect.", effects.replay),
        ("empty day", "A batch without rows is taken, or refused by a rule.", effects.empty_day),
        ("batch sent twice", "A batch sent twice under one message id has one effect.", effects.batch_twice),
        ("half a batch", "A batch that was cut off is sent again, and is whole.", effects.half_batch),
        ("time zone", "A local time is the instant the contract says.", order.time_zone),
        ("merged person", "Two records of one person become one.", order.merged),
    ]


async def _theirs() -> Tried:
    raise NotTried("Only your own system can wait as Retry-After asks, and that is not seen from here. lgw send does.")
