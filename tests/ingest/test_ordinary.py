"""The short way and the long way of a message are one and the same."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accept import Accepted, accept
from ingest.canonical import Arrival
from ingest.enrichment.registry import enricher
from ingest.ordinary import ordinary
from ingest.shapes import Fields
from schemas.sources import Enrichment
from tests.ingest.desks import ANY, NOW, desk_of
from tests.ingest.enrichment.contexts import FIREFOX

TRACK = {
    "type": "track", "event": "Product Viewed", "userId": "u1", "anonymousId": None, "messageId": "m1",
    "timestamp": "2026-09-21T14:13:20.123456+00:00", "properties": {"price": 19.99}, "context": {"ip": "10.0.0.1"},
    "integrations": {},
}  # fmt: skip
ODD: dict[str, list[Any]] = {
    "type": ["page", "trck", None, ["track"]],
    "event": ["Order Completed", "Visit", " ", "", "x" * 201, "\ud800", "quote \" \\", "\x00", 7, ["x"], None],
    "userId": [None, "", " u1 ", "guest", "x" * 512, "x" * 513, " " + "x" * 512, 7, 7.0, True, ["u1"], {}],
    "anonymousId": ["a1", "", "null", "a" * 513, 8, []],
    "messageId": [None, "", "x" * 100, "x" * 101, 7, {}],
    "timestamp": [
        None, "2026-09-21T14:13:20.999Z", "1969-12-31T23:59:59.9995Z", "2026-09-21T16:13:20+02:00",
        "2026-09-21T14:13:20", "2999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00",
        "2026-09-21", "now", NOW, [],
    ],
    "properties": [
        None, {}, [], {"order_id": "o1", "total": 1.5}, {"x": "\ud800"}, {"x": "y" * 31_000}, {"x": "y" * 40_000},
        {"x": Decimal("12345678901234567.5")}, {"x": Decimal("NaN")}, {"x": 10**30},
    ],
    "context": [
        None, {}, [], {"traits": {"email": "a@b.co"}}, {"device": {"id": "d"}}, {"externalIds": []}, {"x": "\x00"},
        {"userAgent": "\ud800"}, {"userAgent": "Googlebot/2.1", "ip": "203.0.113.77"}, {"ip": Decimal("1.5")},
        {"page": {"url": "https://a.example/?utm_source=%22%00", "referrer": "https://t.co/"}},
        {"page": {"url": "\ud800", "referrer": "\ud800"}},
    ],
    "integrations": [None, {"All": True}, [], 0],
    "writeKey": ["local-shop-write-key"],
    "sentAt": [None, "2026-09-21T14:13:00Z"],
    "traits": [{}, {"email": "a@b.co"}],
    "unknown": [1],
}  # fmt: skip
ARRIVALS = [
    Arrival(NOW, "request"),
    Arrival(NOW, "request", kind="track"),
    Arrival(NOW, "request", kind="page"),
    Arrival(NOW, "request", sent_at=NOW - 5_000, skew=5_000),
    Arrival(NOW, "request", context={"locale": "de"}),
    Arrival(NOW, "request", integrations={"All": False}),
    Arrival(NOW, "request", agent=f'{FIREFOX} "\\', ip="203.0.113.77"),
]


def marking(context: Fields, _: Arrival) -> tuple[Fields, bool]:
    return {**context, "agent": {"browser": "Firefox"}}, "x" in context


class Strict:
    """A plan that rejects a price of 1.5, and marks every other event that has properties."""

    def check(
        self,
        name: str,
        version: Any,
        properties: Fields,
        traits: Fields,
        identifiers: dict[str, list[str]],
        /,
    ) -> tuple[tuple[str, ...], bool]:
        return (f"{name} unplanned",) if properties else (), properties.get("total") in {1.5, "1.5"}


DESKS = [
    ANY, desk_of("user_id"), desk_of("email"), replace(ANY, enrich=marking), replace(ANY, plan=Strict()),
    replace(ANY, enrich=enricher(Enrichment(), "web"), plan=Strict()),
]  # fmt: skip


def long_way(messages: list[Any], at: int, arrival: Arrival, monkeypatch: pytest.MonkeyPatch) -> Accepted:
    with monkeypatch.context() as patch:
        patch.setattr("ingest.accept.ordinary", lambda *_: None)
        return accept(messages, DESKS[at], arrival)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_a_message_becomes_the_same_whichever_way_it_goes(data: st.DataObject) -> None:
    message: dict[str, Any] = dict(TRACK)
    for field in data.draw(st.lists(st.sampled_from(sorted(ODD)), max_size=3, unique=True)):
        message[field] = data.draw(st.sampled_from(ODD[field]))
    for field in data.draw(st.lists(st.sampled_from(sorted(TRACK)), max_size=1)):
        del message[field]
    arrival, at = data.draw(st.sampled_from(ARRIVALS)), data.draw(st.integers(0, len(DESKS) - 1))
    with pytest.MonkeyPatch.context() as patch:
        assert accept([message], DESKS[at], arrival) == long_way([message], at, arrival, patch)


@pytest.mark.parametrize("message", [None, 7, "x", [], {}])
def test_what_is_no_message_is_left_to_the_long_way(message: object) -> None:
    assert ordinary(message, ANY, ARRIVALS[0]) is None


def test_what_sdks_send_most_goes_the_short_way() -> None:
    for arrival in ARRIVALS[:2]:
        taken = ordinary(TRACK, ANY, arrival)
        assert taken is not None
        assert orjson.loads(taken[1])["message_id"] == "m1"
