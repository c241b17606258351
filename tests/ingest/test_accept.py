import contextlib
import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accept import MAX_RECORDS, accept
from ingest.bodies import MAX_EVENT, MAX_EVENTS, keyless, parse
from ingest.canonical import Arrival
from ingest.envelopes import open_body
from ingest.refusal import Refusal
from schemas.event import Event
from tests.ingest.desks import ANY, NOW, event, refusal, take

TRACK = {"type": "track", "event": "Visit", "userId": "u1"}
ORDER = {"type": "track", "event": "Order Completed", "userId": "u1"}


def order(**properties: Any) -> dict[str, Any]:
    return ORDER | {"properties": {"order_id": "o1"} | properties}


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (TRACK, "Visit"),
        ({"type": "identify", "userId": "u1"}, "Identified"),
        ({"type": "page", "userId": "u1"}, "Page Viewed"),
        ({"type": "screen", "userId": "u1"}, "Screen Viewed"),
        ({"type": "group", "userId": "u1", "groupId": "g1"}, "Grouped"),
        ({"type": "alias", "userId": "u1", "previousId": "u0"}, "Aliased"),
    ],
)
def test_each_type_becomes_an_event_in_the_past_tense(message: dict[str, Any], name: str) -> None:
    found = event(message)
    assert (found.name, found.type, found.source, found.channel) == (
        name,
        message["type"],
        "shop",
        "ecommerce",
    )


def test_everything_that_a_message_says_survives() -> None:
    message = TRACK | {
        "messageId": "m1",
        "properties": {"place": "Köln", "deep": {"list": [1, 2.5, None, True]}},
        "context": {"ip": "10.0.0.1", "traits": {"plan": "pro", "city": "Bonn"}},
        "traits": {"plan": "max"},
        "integrations": {"All": True},
        "writeKey": "secret-write-key",
        "_metadata": {"bundled": []},
    }
    found = event(
        message, context={"library": {"name": "x"}, "ip": "1.1.1.1"}, integrations={"Mixpanel": False}
    )
    assert found.message_id == "m1"
    assert found.properties == message["properties"]
    assert found.traits == {"plan": "max", "city": "Bonn"}
    assert found.context == {
        "library": {"name": "x"},
        "ip": "10.0.0.1",
        "original": {"_metadata": {"bundled": []}, "integrations": {"Mixpanel": False, "All": True}},
    }
    assert "secret-write-key" not in found.model_dump_json()


def test_page_names_are_properties_and_group_traits_are_the_groups() -> None:
    page = event(
        {"type": "page", "userId": "u1", "name": "Home", "category": "Docs", "properties": {"url": "/"}}
    )
    assert page.properties == {"name": "Home", "category": "Docs", "url": "/"}
    group = event({"type": "group", "userId": "u1", "groupId": 7, "traits": {"email": "firm@b.co"}})
    assert group.properties == {"groupId": "7", "traits": {"email": "firm@b.co"}}
    assert (group.traits, group.identifiers) == ({}, {"user_id": ["u1"]})


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (42, "object"),
        ({"userId": "u1"}, "type"),
        ({"type": "trck", "userId": "u1"}, "type"),
        ({"type": ["track"], "userId": "u1"}, "type"),
        ({"type": "track", "userId": "u1"}, "event"),
        (TRACK | {"event": " "}, "event"),
        (TRACK | {"event": "x" * 201}, "event"),
        (TRACK | {"event": 7}, "event"),
        ({"type": "alias", "userId": "u1"}, "previousId"),
        ({"type": "alias", "previousId": "u1"}, "userId"),
        ({"type": "group", "userId": "u1"}, "groupId"),
        (TRACK | {"properties": []}, "properties"),
        (TRACK | {"traits": "x"}, "traits"),
        (TRACK | {"context": 1}, "context"),
        (TRACK | {"context": {"traits": 1}}, "context.traits"),
        (TRACK | {"messageId": "x" * 101}, "messageId"),
        (TRACK | {"messageId": {}}, "messageId"),
    ],
)
def test_what_is_missing_or_wrong_is_named(message: object, word: str) -> None:
    rejection = refusal(message)
    assert rejection.reason == "invalid"
    assert word in rejection.detail
    assert orjson.loads(rejection.original) == message


def test_a_message_without_an_id_is_given_one_of_its_own() -> None:
    ids = [
        orjson.loads(value)["message_id"] for _, value in take(orjson.dumps({"batch": [TRACK] * 3})).events
    ]
    assert len(set(ids)) == 3
    assert event(TRACK | {"messageId": 7}).message_id == "7"
    assert event(TRACK | {"messageId": "x" * 100}).message_id == "x" * 100


def test_one_bad_event_never_harms_its_batch() -> None:
    accepted = take(orjson.dumps({"batch": [TRACK, {"type": "track"}, 5, TRACK | {"messageId": "last"}]}))
    assert len(accepted.events) == 2
    assert [(r.rejection.original, r.message_id) for r in accepted.refused] == [
        (b'{"type":"track"}', ""),
        (b"5", ""),
    ]


# --- money


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("12.50", "12.5"),
        ('"12.50"', "12.5"),
        ("0.1", "0.1"),
        ("1e2", "100"),
        ("999999999999.999", "999999999999.999"),
    ],
)
def test_amounts_are_kept_exactly(written: str, kept: str) -> None:
    body = (
        b'{"type":"track","event":"Order Completed","userId":"u1","properties":{"total":%s}}'
        % written.encode()
    )
    found = event(body)
    assert (found.properties["total"], found.properties["currency"]) == (kept, "EUR")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1234567890123456", "bad_amount"),
        ("0.1234567890123456", "bad_amount"),
        ("12.500000000000000001", "bad_amount"),
        ("1" * 10_000, "bad_amount"),
        ('"1e99"', "bad_amount"),
        ('"12,50"', "bad_amount"),
        ("NaN", "bad_amount"),
        ("true", "bad_amount"),
        ("-1", "bad_property"),
    ],
)
def test_an_amount_that_is_not_exact_is_refused(written: str, reason: str) -> None:
    body = (
        b'{"type":"track","event":"Order Completed","userId":"u1","properties":{"total":%s}}'
        % written.encode()
    )
    rejection = refusal(body)
    assert rejection.reason == reason
    assert written.encode() in rejection.original


def test_prices_of_products_are_exact_too_and_a_rejection_keeps_what_came() -> None:
    assert event(order(products=[{"price": 9.99}, 7])).properties["products"] == [{"price": "9.99"}, 7]
    message = order(products=[{"price": 9.99}, {"price": "much"}])
    assert orjson.loads(refusal(message).original) == message


@pytest.mark.parametrize(
    "message",
    [order(order_id=["x"]), order(order_id="x" * 101), ORDER | {"event": "Contract Signed"}],
)
def test_a_registered_event_that_cannot_be_read_is_refused(message: dict[str, Any]) -> None:
    assert refusal(message).reason == "bad_property"


def test_a_currency_that_is_none_is_refused() -> None:
    assert refusal(order(currency="Euro")).reason == "bad_amount"
    assert event(order(currency="usd")).properties["currency"] == "USD"


# --- what no JSON reader should have to meet


@pytest.mark.parametrize(
    "broken",
    [
        rb'"a\u0000b"',
        rb'"\ud800"',
        b'"\xff\xfe"',
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"9" * 10_000,
        b"18446744073709551616",
        b"[" * 400 + b"]" * 400,
    ],
)
def test_one_poisoned_event_is_refused_alone(broken: bytes) -> None:
    bad = b'{"type":"track","event":"Visit","userId":"u1","properties":{"x":' + broken + b"}}"
    accepted = take(b'{"batch":[' + orjson.dumps(TRACK) + b"," + bad + b"]}")
    assert len(accepted.events) == 1
    ((rejection, _),) = accepted.refused
    assert rejection.reason == "invalid"
    assert rejection.original


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("18446744073709551615", 2**64 - 1),
        ("3.141592653589793238", 3.141592653589793),
        ("0.10000000000000000000", 0.1),
        ('"1234567890123456789012"', "1234567890123456789012"),
        (r'"\\u0000"', r"\u0000"),
    ],
)
def test_long_numbers_beside_money_are_kept_as_any_reader_reads_them(written: str, kept: object) -> None:
    body = b'{"type":"track","event":"Visit","userId":"u1","properties":{"x":%s}}' % written.encode()
    assert event(body).properties["x"] == kept


def test_a_long_number_identifies_exactly() -> None:
    assert event(b'{"type":"track","event":"Visit","userId":12345678901234567}').identifiers == {
        "user_id": ["12345678901234567"]
    }
    assert refusal(b'{"type":"track","event":"Visit","userId":123456789012345678901}').reason == "invalid"


# --- limits


def sized(size: int) -> bytes:
    shell = orjson.dumps(TRACK | {"properties": {"x": ""}})
    return shell.replace(b'"x":""', b'"x":"' + b"y" * (size - len(shell)) + b'"')


def test_an_event_has_32_kib() -> None:
    assert len(take(b'{"batch":[' + sized(MAX_EVENT) + b"]}").events) == 1
    assert refusal(sized(MAX_EVENT + 1)).reason == "too_large"


def test_a_batch_has_2500_events() -> None:
    assert len(take(orjson.dumps({"batch": [TRACK] * MAX_EVENTS})).events) == MAX_EVENTS
    with pytest.raises(Refusal, match="2500"):
        take(orjson.dumps({"batch": [TRACK] * (MAX_EVENTS + 1)}))


def test_an_envelope_cannot_multiply_itself() -> None:
    with pytest.raises(Refusal, match="envelope"):
        take(orjson.dumps({"batch": [TRACK], "context": {"x": "y" * MAX_EVENT}}))
    accepted = take(orjson.dumps({"batch": [TRACK] * MAX_EVENTS, "context": {"x": "y" * 30_000}}))
    assert accepted.size <= MAX_RECORDS + MAX_EVENTS * 100
    assert {r.rejection.reason for r in accepted.refused} == {"too_large"}


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b"null", b'"x"', b"{}", b'{"batch":{}}', b'{"batch":[],"context":[1]}']
)
def test_a_body_that_is_no_batch_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Refusal):
        take(body)


def test_an_empty_batch_is_nothing_to_do() -> None:
    assert take(b'{"batch":[]}') == ([], [])


# --- never a crash

fields = st.sampled_from(
    ["type", "event", "userId", "anonymousId", "messageId", "timestamp", "sentAt", "properties", "traits", "context",
     "name", "groupId", "previousId", "email", "phone", "externalIds", "device", "id", "total", "products", "currency"]
)  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["track", "alias", "group", "page", "Order Completed", "Contract Signed", "a@b.co", "\ud800"])
    | st.decimals(allow_nan=True, allow_infinity=True)
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields | st.text(max_size=5), inner),
    max_leaves=15,
)
messages = st.dictionaries(fields, anything) | anything


@settings(max_examples=150, deadline=None)
@given(st.lists(messages, max_size=3))
def test_whatever_comes_is_accepted_or_refused(given_messages: list[Any]) -> None:
    accepted = accept(given_messages, ANY, Arrival(NOW, "request"))
    assert len(accepted.events) + len(accepted.refused) == len(given_messages)
    for identity, value in accepted.events:
        found = Event.model_validate_json(value)
        assert found.identifiers == identity.identifiers
        assert b"\x00" not in value
    for refused in accepted.refused:
        assert refused.rejection.detail


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | messages.map(lambda m: json.dumps(m, default=str).encode()))
def test_whatever_bytes_come_are_parsed_or_refused(body: bytes) -> None:
    with contextlib.suppress(Refusal):
        parsed, arrival = open_body(parse(body), "track", (NOW, "request", None))
        assert sum(len(part) for part in accept(parsed, ANY, arrival)) == 1


@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_deep_json_is_refused_as_a_whole(depth: int) -> None:
    with pytest.raises(Refusal):
        parse(b'{"a":' * depth + b"1" + b"}" * depth)


def test_numbers_are_the_same_whichever_parser_read_them() -> None:
    body = b'[1, 1.5, 1e3, 123456789012345, {"big": 12345678901234567, "long": 0.12345678901234567}]'
    assert parse(body) == [
        1,
        1.5,
        1000.0,
        123456789012345,
        {"big": 12345678901234567, "long": Decimal("0.12345678901234567")},
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1" * 30, "a number that no 64-bit integer or double holds; send it as a string"),
        ("[" * 400 + "1" * 17 + "]" * 400, "it is nested too deep"),
    ],
)
def test_what_json_cannot_keep_is_told_in_plain_words(value: str, why: str) -> None:
    body = '{"type": "track", "event": "Visit", "userId": "u1", "properties": {"x": ' + value + "}}"
    (refused,) = take(body.encode(), "track").refused
    assert refused.rejection.detail == f"cannot be kept as JSON: {why}"


def test_what_is_kept_of_a_refused_event_has_no_write_key_in_it_nor_in_its_urls() -> None:
    sent = b'{"writeKey":"key-1","url":"https://a.example/?b=1&writeKey=key-1&c=2#d","e":"?writeKey=key-1"}'
    assert keyless(sent) == b'{"writeKey":"","url":"https://a.example/?b=1&writeKey=&c=2#d","e":"?writeKey="}'
