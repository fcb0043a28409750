"""The tables.

In the clear stay ids, kinds, times, states, areas and keyed hashes. Whatever says something about a person is in
`bodies`, sealed with its record's key from `data_keys`; deleting that key is erasure.

Three ledgers must balance (DESIGN.md, invariant 6): `records` with their `events`, `events` with their `decisions`,
`decisions` with their `deliveries` and `holds`. Tables that grow with traffic are appended to; what changes later
(a state, a mark) is in narrow rows. Foreign keys would check what cannot be otherwise, a look-up for each row: what
refers is written in one transaction with what it refers to, and no person, case or event is ever deleted.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)


def _when(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# --- The journal -----------------------------------------------------------------------------------------------------

records = Table(
    "records",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True, comment="the receipt"),
    Column("sender", Text, nullable=False, comment="party"),
    Column("agency", Text, nullable=False),
    Column("transport", LargeBinary, nullable=False, comment="keyed hash of the sender's message id"),
    Column("body_hash", LargeBinary, nullable=False, comment="keyed hash of the bytes received"),
    _when("received"),
    Column("state", Text, nullable=False),
    Column("reason", Text, comment="reason code, or the name of the kind that is ignored"),
    Column("owner", Text),
    _when("due", nullable=True),
    Column("media_type", Text, nullable=False),
    Column("lane", LargeBinary),
    Column("events", Integer, nullable=False, server_default=text("0"), comment="n, the events translated from it"),
    Column("repeats", Integer, nullable=False, server_default=text("0"), comment="facts it told that we knew"),
    Column("file_id", UUID(as_uuid=True)),
    Column("row", Integer),
    Column("findings", JSONB, nullable=False, server_default=text("'[]'"), comment="rule ids and fields"),
    Column("trace", Text, comment="W3C traceparent"),
    CheckConstraint("state in ('staged', 'waiting', 'held', 'ignored', 'translated')", name="state"),
    UniqueConstraint("sender", "transport"),
    Index(None, "file_id", "row", postgresql_where=text("file_id is not null")),
    Index("records_stopped", "state", "due", postgresql_where=text("state in ('staged', 'waiting', 'held')")),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("record_id", UUID(as_uuid=True), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    comment="one key per record, wrapped by the key-encryption key; backed up apart",
)

bodies = Table(
    "bodies",
    metadata,
    Column("record_id", UUID(as_uuid=True), primary_key=True, comment="whose key seals it"),
    Column(
        "id",
        UUID(as_uuid=True),
        primary_key=True,
        comment="of the record, its filling, event, delivery or evidence it is",
    ),
    Column("sealed", LargeBinary, nullable=False),
    comment="found by both: what belongs to a record lies together, and new records at the end",
)

files = Table(
    "files",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True, comment="the receipt of the file"),
    Column("sender", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("transport", LargeBinary, nullable=False),
    Column("body_hash", LargeBinary, comment="known when it was read to its end"),
    _when("received"),
    _when("finished", nullable=True),
    Column("state", Text, nullable=False),
    Column("rows", Integer, nullable=False, server_default=text("0"), comment="rows taken so far"),
    Column("findings", JSONB, nullable=False, server_default=text("'[]'")),
    CheckConstraint("state in ('open', 'taken', 'refused')", name="state"),
    UniqueConstraint("sender", "transport"),
)

file_series = Table(
    "file_series",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("series", Text, primary_key=True, comment="as the sender names it"),
    Column("last", BigInteger, comment="the number taken last; none until one is"),
    Column("taking", UUID(as_uuid=True), comment="what has the next number and is not finished"),
    comment="what senders number without a gap",
)

refusals = Table(
    "refusals",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("sender", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("transport", LargeBinary, nullable=False),
    _when("received"),
    Column("media_type", Text, nullable=False),
    Column("file_id", UUID(as_uuid=True)),
    Column("row", Integer),
    Column("findings", JSONB, nullable=False),
    Index(None, "file_id", "row", postgresql_where=text("file_id is not null")),
    Index(None, "received"),
    comment="what was refused at the door: kept 30 days for the sender and operations, outside the ledgers",
)

fillings = Table(
    "fillings",
    metadata,
    Column("record_id", UUID(as_uuid=True), primary_key=True),
    Column("tries", SmallInteger, nullable=False, comment="how often its source was asked; counted before the work"),
    _when("next"),
    _when("tried"),
    Column("outcome", Text, comment="of the last try: filled, or why not; none while it is under way"),
    comment="pointers whose source is asked; next: when again, or when the process that asks counts as dead",
)

facts = Table(
    "facts",
    metadata,
    Column("key", LargeBinary, primary_key=True, comment="keyed hash of the fact key"),
    Column("event_id", UUID(as_uuid=True), nullable=False, comment="the head: the newest event of this fact"),
    Column("version", BigInteger),
    Column("digest", LargeBinary, nullable=False, comment="keyed hash of the head's facts"),
    Column("lane", LargeBinary, nullable=False, comment="fixed by the fact's first record"),
)

events = Table(
    "events",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False, comment="commit order within a shard"),
    Column("record_id", UUID(as_uuid=True), nullable=False),
    Column("sender", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("supersedes", UUID(as_uuid=True)),
    Column("fact", LargeBinary, nullable=False),
    Column("lane", LargeBinary, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    _when("occurred"),
    _when("recorded"),
    _when("due", nullable=True),
    Column("trace", Text),
    CheckConstraint("change in ('fact', 'correction', 'retraction')", name="change"),
    Index(None, "record_id"),
    Index(None, "seq"),
)

undecided = Table(
    "undecided",
    metadata,
    Column("lane", LargeBinary, primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="of the event"),
    comment="events that nobody has decided: a row comes with its event and goes with the event's first decision",
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, primary_key=True, comment="of the event"),
    Column("shard", SmallInteger, nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("lane", LargeBinary, nullable=False),
    _when("due", nullable=True),
    Index(None, "lane", postgresql_where=text("due is not null")),
    comment="events committed and not yet on Kafka; a row goes when Kafka has acknowledged",
)

# --- Addressing ------------------------------------------------------------------------------------------------------

decisions = Table(
    "decisions",
    metadata,
    Column("record_id", UUID(as_uuid=True), primary_key=True, comment="of the event"),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("number", SmallInteger, primary_key=True, comment="1 is the inbox claim of the event"),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("owner", Text),
    _when("due", nullable=True),
    Column("person_id", UUID(as_uuid=True)),
    Column("case_id", UUID(as_uuid=True)),
    Column("deliveries", SmallInteger, nullable=False, server_default=text("0"), comment="m"),
    Column("holds", SmallInteger, nullable=False, server_default=text("0")),
    Column("why", JSONB, nullable=False, server_default=text("'{}'"), comment="rules and areas, never a value"),
    _when("decided"),
    _when("purged", nullable=True),
    CheckConstraint(
        "state in ('decided', 'no_recipient', 'suppressed', 'held', 'discarded', 'superseded')", name="state"
    ),
    Index("decisions_unpurged", "decided", postgresql_where=text("state = 'no_recipient' and purged is null")),
    comment="found by record and event, as bodies are",
)

persons = Table(
    "persons",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    _when("created"),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
)

person_keys = Table(
    "person_keys",
    metadata,
    Column("key", LargeBinary, primary_key=True, comment="blind index of an identifying combination"),
    Column("person_id", UUID(as_uuid=True), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    _when("known"),
    Index(None, "person_id"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("person_id", UUID(as_uuid=True), primary_key=True),
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("fact", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False, comment="an AddressKind, or custody, reception, release, dates, ..."),
    Column("authority", Text, comment="local authority district of a postcode, suite or prison; none if not told"),
    Column("flags", JSONB, nullable=False, server_default=text("'{}'")),
    Column("start", Date),
    Column("end", Date),
    _when("occurred"),
    _when("known"),
    Column("withdrawn", Boolean, nullable=False, server_default=text("false")),
    comment="what sources said about where a person lives or is held, reduced to districts and dates",
)

placements = Table(
    "placements",
    metadata,
    Column("person_id", UUID(as_uuid=True), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("area", Text, comment="none: outside the scheme, or unresolved"),
    Column("authority", Text),
    Column("basis", Text, nullable=False),
    Column("confidence", Text, nullable=False),
    Column("evidence", JSONB, nullable=False, server_default=text("'[]'"), comment="event ids"),
    Column("rules", Text, nullable=False),
    Column("places", Text, nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    _when("known"),
    CheckConstraint("role in ('home', 'holding', 'destination')", name="role"),
    comment="every determination, append-only; the highest number is in force",
)

cases = Table(
    "cases",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("person_id", UUID(as_uuid=True), nullable=False),
    Column("opened_by", UUID(as_uuid=True), nullable=False, comment="event"),
    _when("opened"),
    Column("closed_by", UUID(as_uuid=True), comment="delivery whose receipt closed it"),
    _when("closed", nullable=True),
    Index("cases_one_open", "person_id", unique=True, postgresql_where=text("closed is null")),
)

participants = Table(
    "participants",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("role", Text, nullable=False),
    Column("area", Text, nullable=False),
    _when("since"),
    _when("until", nullable=True),
)

responsibilities = Table(
    "responsibilities",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("area", Text, comment="none: outside the scheme"),
    _when("since"),
    Column("reason", Text, nullable=False),
    Column("event_id", UUID(as_uuid=True)),
    comment="append-only: the end of one entry is the start of the next, so neither gap nor overlap can be written",
)

# --- Delivery --------------------------------------------------------------------------------------------------------

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("last", BigInteger, nullable=False, server_default=text("0")),
    Column("told", BigInteger, nullable=False, server_default=text("0"), comment="last notice on its Kafka topic"),
    comment="the last position given out; its row lock makes positions appear in order",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("position", BigInteger, nullable=False, comment="in the recipient's mailbox, from 1, without gaps"),
    Column("person_id", UUID(as_uuid=True), nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("record_id", UUID(as_uuid=True), nullable=False, comment="whose key seals the body"),
    Column("case_id", UUID(as_uuid=True)),
    Column("decision", SmallInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("agreement", Text, nullable=False, comment="what it was disclosed under, and that text's version"),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("owner", Text),
    _when("due", nullable=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _when("next", nullable=True),
    _when("tried", nullable=True),
    _when("created"),
    _when("offered", nullable=True),
    _when("acknowledged", nullable=True),
    Column("trace", Text),
    CheckConstraint(
        "state in ('queued', 'offered', 'acknowledged', 'rejected', 'parked', 'superseded', 'retracted', 'discarded',"
        " 'restricted', 'erased')",
        name="state",
    ),
    Index("deliveries_mailbox", "recipient", "position", unique=True),
    # What stopped has an owner. No index knows the state, which changes at every settling: so a settled row stays where
    # it is, and half of each page is left free for it.
    Index("deliveries_stopped", "recipient", "due", postgresql_where=text("owner is not null")),
    Index(None, "record_id"),
    postgresql_with={"fillfactor": 50},
    comment="next: when the next attempt is due; tried: its first attempt since queued, from which patience runs",
)

queued = Table(
    "queued",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("person_id", UUID(as_uuid=True), nullable=False),
    Index(None, "person_id"),
    comment="where the deliveries are whose state is `queued`: a row comes and goes with that state",
)

holds = Table(
    "holds",
    metadata,
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("decision", SmallInteger, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person_id", UUID(as_uuid=True)),
    Column("reason", Text, nullable=False),
    Column("owner", Text, nullable=False),
    _when("since"),
    _when("due"),
    _when("released", nullable=True),
    Column("outcome", Text, comment="redecided, discarded"),
    Index("holds_open", "due", postgresql_where=text("released is null")),
    Index("holds_person", "person_id", postgresql_where=text("released is null")),
    comment="a role's delivery that waits for a decision, while the event's other deliveries went out",
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", UUID(as_uuid=True), primary_key=True),
    Column("number", Integer, primary_key=True),
    _when("started"),
    Column("milliseconds", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", SmallInteger),
)

receipts = Table(
    "receipts",
    metadata,
    Column("delivery_id", UUID(as_uuid=True), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("result", Text, nullable=False),
    Column("code", Text),
    _when("at"),
    comment="what recipients answered about a delivery, in the order it came",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("source", Text, nullable=False, comment="topic:partition:offset@time"),
    Column("event_id", UUID(as_uuid=True), comment="if its headers told one that we know"),
    Column("reason", Text, nullable=False),
    Column("owner", Text, nullable=False),
    _when("since"),
    _when("due"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _when("released", nullable=True),
    Column("outcome", Text),
    UniqueConstraint("source"),
    Index("quarantine_open", "due", postgresql_where=text("released is null")),
)

tries = Table(
    "tries",
    metadata,
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("count", SmallInteger, nullable=False),
    comment="how often addressing has begun an event that then failed alone; counted before the work",
)

runs = Table(
    "runs",
    metadata,
    Column("instance", Text, primary_key=True),
    _when("started"),
    Column("clean", Boolean, nullable=False, comment="false while it runs, and after it died"),
    comment="an instance that died looks at its first records one by one",
)

assertions = Table(
    "assertions",
    metadata,
    Column("client", Text, primary_key=True),
    Column("id", LargeBinary, primary_key=True, comment="hash of the assertion's jti"),
    _when("expires"),
    Index(None, "expires"),
    comment="client assertions already used; each serves once",
)
