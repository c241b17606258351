import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from schemas.books import count_all
from schemas.changes import change_id, customer_id
from schemas.definitions import key_of, parse
from schemas.documents import documents
from schemas.event import STATEMENTS, AnyEvent
from schemas.records import EXAMPLES, RECORDS, REJECTED_HEADERS, RecordType, example_files
from schemas.rejected import HEADERS, Reason
from schemas.semantics import SEMANTICS, entry_of, exact_money
from schemas.state import FORMAT
from schemas.topics import TOPICS

MADE = documents()


def read(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.v1.json").read_text("utf-8"))


def test_every_file_is_registered_and_every_registered_file_is_there() -> None:
    assert {path.name for path in EXAMPLES.glob("*.json")} == set(example_files())


@pytest.mark.parametrize("file", example_files())
def test_an_example_is_exactly_what_its_model_writes(file: str) -> None:
    content = (EXAMPLES / file).read_text("utf-8")
    model = example_files()[file]
    assert model.dump_python(model.validate_json(content), mode="json", by_alias=True) == json.loads(content)


@pytest.mark.parametrize(
    ("record", "name"), [(record, name) for record in RECORDS for name in record.examples]
)
def test_an_example_is_valid_under_the_published_schema(record: RecordType, name: str) -> None:
    schema = json.loads(MADE[f"schemas/{record.name}.v1.json"])
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(read(name))
    broken = {key: value for key, value in read(name).items() if key not in schema["required"]}
    assert not Draft202012Validator(schema).is_valid(broken), "the schema asks for something"


def test_every_type_and_every_event_that_means_something_has_an_example() -> None:
    events = [read(name) for record in RECORDS if record.name == "event" for name in record.examples]
    assert {"track", "identify", "page", "screen", "group", "alias", "link", "split"} == {
        event["type"] for event in events
    }
    assert {semantic.name for semantic in SEMANTICS if semantic.entry} <= {event["name"] for event in events}
    assert all(record.examples for record in RECORDS)
    covered = {record.topic.noun for record in RECORDS} | {"rejected"}
    assert covered == {topic.noun for topic in TOPICS}


@pytest.mark.parametrize(
    "name", [name for record in RECORDS if record.name == "event" for name in record.examples]
)
def test_the_amounts_of_an_example_are_exact_and_it_means_something(name: str) -> None:
    event = read(name)
    properties = json.loads(json.dumps(event["properties"]))
    exact_money(event["name"], properties, "EUR")
    assert properties == event["properties"]
    stated = entry_of(event["name"], event["properties"], event["message_id"])
    assert (stated is not None) == any(s.name == event["name"] and s.entry for s in SEMANTICS)


def test_records_of_the_events_log_are_told_apart_by_their_type() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(AnyEvent)
    for name in ("event.track", "event.alias", "tick", "clock", "marker"):
        record = adapter.validate_python(read(name))
        assert record.type == read(name)["type"]
        assert (record.type in STATEMENTS) == (name in STATEMENTS)


def test_the_example_state_is_consistent() -> None:
    cluster = read("cluster")
    assert cluster["v"] == read("link")["v"] == read("position")["v"] == FORMAT
    for part in cluster["parts"].values():
        assert part["books"] == count_all(part["books"])
    assert {id_: p["head"] for id_, p in cluster["published"].items()} == {
        customer_id(cluster["members"][0]): cluster["members"][0]
    }


def test_the_example_change_has_the_id_of_its_cause() -> None:
    change = read("lifecycle-change")
    whose = (change["customer_id"], "lifecycle", change["lifecycle"], change["cause"])
    assert change["id"] == change_id(*whose, change["from"], change["to"], 1)


@pytest.mark.parametrize(
    ("name", "key"), [("identity", "identity/default/1"), ("lifecycle", "lifecycle/gym/1")]
)
def test_the_example_definitions_are_definitions(name: str, key: str) -> None:
    assert key_of(parse(read(name), name)) == key


def test_the_example_headers_of_a_rejected_record() -> None:
    headers = HEADERS(**read(REJECTED_HEADERS))
    assert headers.reason in list(Reason)
    Draft202012Validator(json.loads(MADE[f"schemas/{REJECTED_HEADERS}.v1.json"])).validate(headers._asdict())
