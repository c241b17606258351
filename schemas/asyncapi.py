"""The AsyncAPI 3.0 document of the eight topics, made from the models: no word of it is written twice."""

import json
from typing import Any

from pydantic import TypeAdapter

from schemas.changes import ce_headers
from schemas.definitions import KINDS
from schemas.records import EXAMPLES, RECORDS, REJECTED_HEADERS, RecordType
from schemas.rejected import HEADERS, Reason
from schemas.topics import REJECTED, TOPICS, Topic

Document = dict[str, Any]
BINDING = "0.5.0"
PRODUCTION_PARTITIONS = 64
ABOUT = {
    "events": "The source of truth: every accepted event, and the deployment's own statements.",
    "commands": "Private to the processors: imperatives between identifiers. Do not subscribe.",
    "state": "Private to the processors: their state. Read the views of ClickHouse instead.",
    "definitions": "The genesis record, then every version of every definition.",
    "sources": "Who may send, and the tracking plans of their events; write keys as keyed digests only.",
    "usage": "Private to ingest: how many events of a source with a quota each process took, by day.",
    "imports": "Private to `cdp import`: how far each file is, and which rows are in the log.",
    "lifecycle-changes": "Public: customers entering stages. Read it with isolation.level=read_committed.",
    "segment-changes": "Public: customers entering and leaving segments, roles, tags and tiers. Read it committed.",
    "identity-changes": "Public: customers merged, split or in conflict. Read it with isolation.level=read_committed.",
    "rejected": "What was not accepted: the original bytes; the reason is in the headers.",
}
CE = {
    "ce_specversion": "version of CloudEvents",
    "ce_id": "stable id of the change: the same cause always gives the same id; drop what you have seen",
    "ce_type": "type of the change and its version",
    "ce_source": "/cdp/ and the id of the deployment",
    "ce_subject": "customer_id",
    "ce_time": "effective_at, RFC 3339",
    "content-type": "of the body",
}
REJECTED_ABOUT = {
    "v": "version of these headers",
    "reason": "why",
    "detail": "what and where, for a human; nothing personal",
    "where": "`ingest`, or topic/partition/offset",
    "received_at": "Unix ms",
    "message_id": "empty where there is none",
}


def document() -> Document:
    """The whole document."""
    payloads, definitions = TypeAdapter.json_schemas(
        [(record.name, mode_of(record), record.model) for record in RECORDS],
        ref_template="#/components/schemas/{model}",
    )
    messages = {r.title: _message(r, payloads[r.name, mode_of(r)]) for r in RECORDS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Customer data platform",
            "version": "1",
            "description": "Every topic, cdp.<noun>.v<N>. Each record names its schema's version in `v`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "the local stack"}
        },
        "channels": {topic.noun: _channel(topic) for topic in TOPICS},
        "operations": {f"send-{t.noun}": _operation(t) for t in TOPICS if _names(t)},
        "components": {
            "messages": {**messages, "Rejected": _rejected()},
            "schemas": definitions.get("$defs", {}),
        },
    }


def mode_of(record: RecordType) -> Any:
    """Definitions are documents that people write; everything else we write."""
    return "validation" if record.name in KINDS else "serialization"


def _names(topic: Topic) -> list[str]:
    return ["Rejected"] if topic is REJECTED else [r.title for r in RECORDS if r.topic is topic]


def _channel(topic: Topic) -> Document:
    config: Document = {name: int(v) if v.lstrip("-").isdigit() else v for name, v in topic.config.items()}
    config["cleanup.policy"] = topic.config["cleanup.policy"].split(",")
    kafka = {"topic": topic.name(), "partitions": topic.partitions or PRODUCTION_PARTITIONS}
    count = "one partition" if topic.partitions else "as many partitions as genesis fixed (local stack: 8)"
    return {
        "address": topic.name(),
        "title": topic.noun,
        "description": f"{ABOUT[topic.noun]} Key: {topic.key}. Kept: {topic.keeps}; {count}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {"kafka": {**kafka, "topicConfiguration": config, "bindingVersion": BINDING}},
    }


def _operation(topic: Topic) -> Document:
    channel = f"#/channels/{topic.noun}"
    messages = [{"$ref": f"{channel}/messages/{name}"} for name in _names(topic)]
    return {"action": "send", "channel": {"$ref": channel}, "messages": messages}


def _message(record: RecordType, payload: Document) -> Document:
    examples = [{"name": name, "payload": example(name)} for name in record.examples]
    message: Document = {
        "name": record.name,
        "title": record.title,
        "summary": record.about,
        "contentType": "application/json",
        "payload": payload,
        "bindings": _key(record.key),
        "examples": examples,
    }
    if record.ce_type:
        message["headers"] = _ce_headers(record.ce_type)
    elif record.name == "event":
        keys = "keys of all its identifiers, greatest first, joined by a space; the first is the record's key"
        message["headers"] = _text_headers({"keys": keys}, {})
    return message


def _rejected() -> Document:
    fixed: dict[str, Document] = {
        "v": {"const": "1"},
        "reason": {"enum": [reason.value for reason in Reason]},
    }
    return {
        "name": "rejected",
        "title": "Rejected",
        "summary": "one event or body that was not accepted: its original bytes",
        "contentType": "application/octet-stream",
        "headers": _text_headers({name: REJECTED_ABOUT[name] for name in HEADERS._fields}, fixed),
        "payload": {"description": "the bytes as they came, whatever they are"},
        "bindings": _key(REJECTED.key),
        "examples": [{"name": "rejected", "headers": example(REJECTED_HEADERS), "payload": "{"}],
    }


def _ce_headers(type_: str) -> Document:
    names = [name for name, _ in ce_headers("", type_, "", "", 0)]
    fixed = {"ce_specversion": "1.0", "ce_type": type_, "content-type": "application/json"}
    return _text_headers({n: CE[n] for n in names}, {n: {"const": value} for n, value in fixed.items()})


def _text_headers(about: dict[str, str], more: dict[str, Document]) -> Document:
    fields = {n: {"type": "string", "description": text, **more.get(n, {})} for n, text in about.items()}
    return {"type": "object", "properties": fields, "required": list(fields)}


def _key(about: str) -> Document:
    return {"kafka": {"key": {"type": "string", "description": about}, "bindingVersion": BINDING}}


def example(name: str) -> Any:
    """The parsed example of this name."""
    return json.loads((EXAMPLES / f"{name}.v1.json").read_text("utf-8"))
