"""What the department sends: the benefit extract, a Jobcentre's referrals, and the documents of Universal Credit."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import orjson

from adapters.base import Adapter, Finding, Message, Outcome, Refused, Series
from adapters.dwp import award, referral, rules, universal_credit
from adapters.dwp.batch import CODE_PAGES, MEDIA_TYPE, USUAL, Records, numbered, rows
from adapters.dwp.rules import Faulty

NAME: Final = "dwp"

_LONGEST: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


def build(options: Mapping[str, str]) -> Adapter:
    """The department's feed of one installation.

    Option: `code_page`, in which the benefit extract is written (one of `CODE_PAGES`). Raises ValueError for an option
    or a value that is none.
    """
    code_page = USUAL
    for option, value in options.items():
        if option != "code_page" or value not in CODE_PAGES:
            raise ValueError(f"the dwp adapter has no option {option!r}, or not with this value")
        code_page = value
    records = CODE_PAGES[code_page]
    return Adapter(
        name=NAME,
        read=partial(read, records),
        rules=rules.RULES,
        records=frozenset({"application/json", MEDIA_TYPE}),
        files={MEDIA_TYPE: partial(rows, records)},
        trailer=True,
        series={MEDIA_TYPE: Series(partial(numbered, records), rules.SEQUENCE_GAP, rules.SEQUENCE_REPEATED)},
    )


def read(records: Records, message: Message) -> Outcome:
    """Read one record: a header with one detail, a referral, or a document of Universal Credit, decrypted."""
    try:
        if message.media_type == MEDIA_TYPE:
            return award.read(records, message)
        told = _object(message.body)
        if "message" in told:
            return universal_credit.read(told)
        if "eventType" in told:
            return referral.read(told, message.received)
        return Refused((Finding(rules.KIND_UNKNOWN, "eventType"),))
    except Faulty as faulty:
        return Refused(faulty.findings)


def _object(body: bytes) -> dict[str, object]:
    if len(body) > _LONGEST:
        raise Faulty([Finding(rules.NOT_JSON, "", "longer than 1 MiB")])
    try:
        told = orjson.loads(body.removeprefix(_BOM))
    except ValueError:  # orjson's JSONDecodeError quotes nothing of the text; it is dropped all the same
        raise Faulty([Finding(rules.NOT_JSON, "")]) from None
    if not isinstance(told, dict):
        raise Faulty([Finding(rules.NOT_JSON, "")])
    return told
