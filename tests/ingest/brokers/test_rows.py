"""Messages and records as rows, and rows as events: pure."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given as example_of
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.brokers import records, topics
from ingest.brokers.rows import MAX_BYTES, MAX_ROW, Given, parts, taken
from ingest.canonical import Arrival
from ingest.mapping import compiled
from schemas.brokers import Mqtt
from schemas.mapping import load
from tests.ingest.brokers.mosquitto import EXAMPLES
from tests.ingest.desks import ANY, NOW

KIOSKS = compiled(load(EXAMPLES / "mqtt.yaml"), "UTC")
ERP = compiled(load(EXAMPLES / "pull.yaml"), "UTC")
FILTERS = ("shops/{shop}/kiosks/{device}/{what}",)


def message(
    payload: bytes, topic: str = "shops/oslo/kiosks/k7/temperature", packet: int = 1, **said: str
) -> Given:
    return topics.given("kiosks", topics.levels(FILTERS), topic, payload, said, packet)


def record(value: bytes | None, **fields: Any) -> Given:
    stands = {"topic": "orders", "partition": 3, "offset": 7, "timestamp": NOW, "key": b"u1", "headers": []}
    return records.given("erp", SimpleNamespace(value=value, **(stands | fields)))


def message_ids(*given: Given) -> list[str]:
    accepted = taken(list(given), KIOSKS, ANY, Arrival(NOW, "arrival"))
    assert not accepted.refused
    return [orjson.loads(value)["message_id"] for _, value in accepted.events]


@pytest.mark.parametrize(
    ("filter_", "topic", "named"),
    [
        ("a/{x}/c", "a/b/c", {"$x": "b"}),
        ("a/{x}/c", "a/b/d", {}),
        ("a/{x}", "a/b/c", {}),
        ("a/{x}/#", "a/b/c/d", {"$x": "b"}),
        ("a/{x}/#", "a/b", {"$x": "b"}),
        ("+/{x}", "/b", {"$x": "b"}),
        ("a.c/{x}", "abc/b", {}),
        ("#", "any/thing", {}),
    ],
)
def test_levels_are_named_as_brokers_match_them(filter_: str, topic: str, named: dict[str, str]) -> None:
    assert topics.levels((filter_,))(topic) == named


def test_a_filter_is_subscribed_to_as_brokers_know_it() -> None:
    assert topics.subscription(FILTERS[0], None) == "shops/+/kiosks/+/+"
    assert topics.subscription(FILTERS[0], "all") == "$share/all/shops/+/kiosks/+/+"


@pytest.mark.parametrize(
    "filter_", ["a{x}/b", "a/#/b", "a+", "{x}/{x}", "{topic}/b", "$share/g/a", "{X}", ""]
)
def test_a_filter_that_no_broker_would_take_is_refused(filter_: str) -> None:
    with pytest.raises(ValidationError):
        Mqtt(host="h", topics=(filter_,))


def test_a_message_sent_again_is_the_same_event_whatever_packet_brings_it() -> None:
    first, again, other = message_ids(message(b"20"), message(b"20", packet=9), message(b"20", number="2"))
    assert first == again != other


def test_a_record_is_told_from_others_by_where_it_stands() -> None:
    value = orjson.dumps({"order": {"id": "O-1", "sum": 1}})
    placed = [("kind", b"order-placed")]
    at = [record(value, headers=placed, **place) for place in ({}, {"offset": 8}, {"topic": "t" * 249})]
    events = taken(at, ERP, ANY, Arrival(NOW, "arrival")).events
    ids = [orjson.loads(event)["message_id"] for _, event in events]
    assert ids[:2] == ["erp/orders/3/7", "erp/orders/3/8"]
    assert len(ids[2]) <= 100


def test_what_is_too_large_is_refused_and_harms_nobody() -> None:
    given = [message(b"1"), message(b'"' + b"x" * MAX_ROW + b'"'), message(b"2")]
    accepted = taken(given, KIOSKS, ANY, Arrival(NOW, "arrival"))
    assert len(accepted.events) == 2
    assert [refused.rejection.reason for refused in accepted.refused] == ["too_large"]


def test_what_is_taken_together_is_bounded_and_in_order() -> None:
    given = [message(bytes(MAX_ROW)) for _ in range(20)] + [message(b"1")]
    found = list(parts(given))
    assert [one for part in found for one in part] == given
    assert all(sum(len(one.payload) for one in part) <= MAX_BYTES for part in found)
    assert list(parts([])) == []


@example_of(
    st.lists(
        st.binary(max_size=50)
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("card"), inner),
            max_leaves=8,
        ).map(lambda value: orjson.dumps(value, default=str) if not _long(value) else b"1" * 400),
        max_size=5,
    ),
    st.sampled_from(("visit", "temperature", "other")),
)
def test_whatever_arrives_each_is_an_event_a_refusal_or_left_out(payloads: list[bytes], what: str) -> None:
    given = [message(payload, f"shops/oslo/kiosks/k7/{what}") for payload in payloads]
    accepted = taken(given, KIOSKS, ANY, Arrival(NOW, "arrival"))
    assert len(accepted.events) + len(accepted.refused) == len(payloads)
    headers = [("kind", b"order-placed"), (what, None)]
    pulled = taken([record(each, headers=headers) for each in payloads], ERP, ANY, Arrival(NOW, "arrival"))
    assert len(pulled.events) + len(pulled.refused) == len(payloads)


def _long(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return True
    return False
