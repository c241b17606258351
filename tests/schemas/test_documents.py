import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from schemas.asyncapi import CE, REJECTED_ABOUT, document
from schemas.changes import LIFECYCLE_CHANGED, ce_headers
from schemas.documents import DOCS, documents, main, stale, write
from schemas.rejected import ABOUT, HEADERS, Reason
from schemas.semantics import PROPERTIES, SEMANTICS
from schemas.topics import TOPICS
from schemas.topics_page import page

META = json.loads((Path(__file__).parents[1] / "data" / "asyncapi-3.0.0.json").read_text("utf-8"))
ASYNCAPI = document()


def resolve(reference: str) -> Any:
    """What a local reference of the document points to."""
    place: Any = ASYNCAPI
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    return place


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == "$ref"] + [
            r for v in value.values() for r in references(v)
        ]
    return [r for v in value for r in references(v)] if isinstance(value, list) else []


def test_the_documents_are_current() -> None:
    assert stale() == [], "run python -m schemas.documents"


def test_what_is_not_current_is_named_and_written(tmp_path: Path) -> None:
    assert stale(tmp_path) == sorted(documents())
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "topics.md").write_text("mine")
    (tmp_path / "schemas" / "gone.v1.json").write_text("{}")
    (tmp_path / "guide.md").write_text("not generated")
    assert stale(tmp_path) == ["schemas/gone.v1.json", "topics.md"]
    write(tmp_path)
    assert stale(tmp_path) == []
    assert (tmp_path / "guide.md").exists()


def test_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for function in (stale, write):
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    assert main(["--check"]) == 1
    assert "docs/asyncapi.json is not current: run python -m schemas.documents" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert main(["--chekc"]) == 2


def test_the_document_is_asyncapi_3() -> None:
    errors = [
        f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft7Validator(META).iter_errors(ASYNCAPI)
    ]
    assert errors == []
    assert not Draft7Validator(META).is_valid({**ASYNCAPI, "channels": {"x": {"address": 1}}})


def test_every_reference_resolves() -> None:
    found = references(ASYNCAPI)
    assert len(found) > 20
    for reference in found:
        assert resolve(reference)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.noun)
def test_every_topic_is_a_channel_as_kafka_has_it(topic: Any) -> None:
    channel = ASYNCAPI["channels"][topic.noun]
    kafka = channel["bindings"]["kafka"]
    assert channel["address"] == kafka["topic"] == topic.name()
    assert kafka["partitions"] == (topic.partitions or 64)
    assert kafka["topicConfiguration"]["cleanup.policy"] == topic.config["cleanup.policy"].split(",")
    assert kafka["topicConfiguration"].get("retention.ms") == (
        int(topic.config["retention.ms"]) if "retention.ms" in topic.config else None
    )
    assert topic.key in channel["description"]
    assert topic.keeps in channel["description"]


def test_messages_have_a_key_a_payload_and_examples_that_are_valid() -> None:
    for message in ASYNCAPI["components"]["messages"].values():
        assert message["bindings"]["kafka"]["key"]["description"]
        assert message["examples"]
        if message["name"] == "rejected":
            continue
        schema = {**message["payload"], "components": ASYNCAPI["components"]}
        for example in message["examples"]:
            Draft202012Validator(schema).validate(example["payload"])


def test_every_topic_promises_a_payload() -> None:
    assert [name for name, channel in ASYNCAPI["channels"].items() if not channel["messages"]] == []


def test_headers_are_those_that_are_written() -> None:
    messages = ASYNCAPI["components"]["messages"]
    written = {name: value.decode() for name, value in ce_headers("i", LIFECYCLE_CHANGED, "d", "c", 0)}
    assert set(written) == set(CE)
    Draft202012Validator(messages["LifecycleChange"]["headers"]).validate(written)
    assert (
        list(messages["Rejected"]["headers"]["properties"]) == list(HEADERS._fields) == list(REJECTED_ABOUT)
    )
    assert list(messages["Event"]["headers"]["properties"]) == ["keys"]


def test_the_page_tells_everything_that_is_registered() -> None:
    text = page()
    names = [topic.name() for topic in TOPICS] + [s.name for s in SEMANTICS] + list(PROPERTIES) + list(CE)
    assert [name for name in [*names, *Reason] if name not in text] == []
    assert list(ABOUT) == list(Reason)


def test_links_of_the_page_lead_somewhere() -> None:
    links = [part.split(")")[0] for part in page().split("](")[1:]]
    assert [link for link in links if not (DOCS / link).resolve().exists()] == []
