"""The AsyncAPI 3 document of the canonical topics: what travels on them, under which headers."""

from typing import Any

from schemas.base import Change, Retraction
from schemas.catalogue import CATALOGUE, TOPICS, Kind

Document = dict[str, Any]

SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
TOPIC_DAYS = 30
KAFKA_BINDING = "0.5.0"

# Invented, and the same in every example, so that a reader knows them again.
_EVENT_ID = "6a1f7c1e-2c1d-5b0e-9a57-0d5b8a3f4c11"
_EARLIER_ID = "0f0c9f55-93c4-5e0a-8a6e-3b6b6d1c7e02"
_RECORD_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
_FACT = "9c1185a5c5e9fc54612808977ee8f548"


def asyncapi() -> Document:
    """The whole document. Payloads refer to the files of the kinds beside it."""
    messages: Document = {}
    channels: Document = {}
    operations: Document = {}
    for topic in TOPICS:
        subject = topic.partition(".")[0]
        kinds = [kind for kind in CATALOGUE.values() if kind.topic == topic]
        own = {kind.name: _event(kind) for kind in kinds} | {f"{subject}.retraction": _retraction(subject, kinds)}
        messages |= own
        channels[topic] = {
            "address": topic,
            "description": f"What happens in {subject}, for each key in the order of its commits.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in own},
            "bindings": {
                "kafka": {
                    "topic": topic,
                    "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": TOPIC_DAYS * 86_400_000},
                    "bindingVersion": KAFKA_BINDING,
                }
            },
        }
        operations[f"publish-{subject}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{topic}"},
            "summary": f"The gateway publishes what it has committed about {subject}.",
            "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in own],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "LASARS gateway: canonical events",
            "version": "1.0.0",
            "description": (
                "What agencies told of people, as CloudEvents 1.0 in binary mode. The headers travel in the clear and "
                "hold nothing personal. Bodies are sealed with a key of their record; the payloads here are the bodies "
                "unsealed. Delivery is at least once: ce_id is the same each time, and its effect must be once."
            ),
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"headers": _headers()}},
    }


def _header(description: str, form: str | None = None) -> Document:
    return {"type": "string", **({"format": form} if form else {}), "description": description}


def _headers() -> Document:
    """The headers of every message, each as text."""
    optional = {
        "ce_supersedes": _header(
            "The event this one corrects or takes back; absent for the first of its fact.", "uuid"
        ),
        "ce_due": _header("When an event that had to settle was let out; absent for all others.", "date-time"),
        "ce_traceparent": _header("The W3C trace the record came under."),
    }
    required = {
        "content-type": {"type": "string", "const": "application/json"},
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": _header(
            "The event's id. It follows from the fact: the same statement read again has it again.", "uuid"
        ),
        "ce_source": _header("The agency and the party whose record told the event.", "uri-reference"),
        "ce_type": _header("The event's kind."),
        "ce_time": _header("When it happened, in UTC.", "date-time"),
        "ce_recordedtime": _header("When the gateway committed it, in UTC.", "date-time"),
        "ce_record": _header("The record that told it, and the name of the key its body is sealed with.", "uuid"),
        "ce_fact": _header("A keyed hash of the fact it speaks of: the same for all events of one fact."),
        "ce_change": {"type": "string", "enum": list(Change), "description": "What it does to that fact."},
    }
    return {"type": "object", "required": list(required), "properties": required | optional}


def _event(kind: Kind) -> Document:
    example = kind.examples()[0].model_dump(mode="json")
    own: Document = {"ce_type": {"const": kind.name}, "ce_change": {"enum": [Change.FACT, Change.CORRECTION]}}
    headers = _example_headers(kind.name, Change.FACT, example["occurred"]["at"])
    return _message(kind.name, kind.sentence, f"{kind.name}.json", own, headers, example)


def _retraction(subject: str, kinds: list[Kind]) -> Document:
    kind = kinds[0]
    own: Document = {
        "ce_type": {"enum": [one.name for one in kinds]},
        "ce_change": {"const": Change.RETRACTION},
    }
    at = kind.examples()[0].model_dump(mode="json")["occurred"]["at"]
    return _message(
        f"{subject}.retraction",
        "A fact is taken back: the body says the reason, and none of what it takes back.",
        "retraction.json",
        own | {"ce_supersedes": {"type": "string"}},
        _example_headers(kind.name, Change.RETRACTION, at) | {"ce_supersedes": _EARLIER_ID},
        Retraction(kind=kind.name, reason="withdrawn").model_dump(mode="json"),
    )


def _message(name: str, summary: str, schema: str, own: Document, headers: Document, payload: Document) -> Document:
    """One message. own: what its headers say more narrowly than those of all."""
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "allOf": [{"$ref": "#/components/schemas/headers"}, {"required": list(own), "properties": own}],
        },
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./{schema}"}},
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "pattern": "^[0-9a-f]{32}$",
                    "description": "A pseudonym of the person's strongest identifier at the source: a keyed hash.",
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "examples": [{"name": name, "headers": headers, "payload": payload}],
    }


def _example_headers(kind: str, change: Change, at: str) -> Document:
    return {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": _EVENT_ID,
        "ce_source": "/agency/party",
        "ce_type": kind,
        "ce_time": at,
        "ce_recordedtime": at,
        "ce_record": _RECORD_ID,
        "ce_fact": _FACT,
        "ce_change": change.value,
    }
