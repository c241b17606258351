from typing import Any

import pytest

from schemas.semantics import NOT_OWN, PROPERTIES, REGISTRY, SEMANTICS, Entry, entry_of, exact_money


@pytest.mark.parametrize(
    ("name", "properties", "entry"),
    [
        ("Order Completed", {"order_id": "A", "total": "9.90", "revenue": "8"}, Entry("order", "A", "9.9")),
        (
            "Order Completed",
            {"order_id": 7, "total": None, "revenue": "8", "value": 1},
            Entry("order", "7", "8"),
        ),
        ("Order Completed", {"value": 3, "currency": "eur"}, Entry("order", "m", "3", "EUR")),
        ("Order Completed", {}, Entry("order", "m", "0")),
        ("Order Cancelled", {"order_id": "A", "total": "5"}, Entry("cancel", "A")),
        ("Order Refunded", {"order_id": "A"}, Entry("refund", "A", None, None, "m")),
        (
            "Order Refunded",
            {"order_id": "A", "refunded_total": "7.50", "refund_id": "r", "total": 1},
            Entry("refund", "A", "7.5", None, ""),
        ),
        (
            "Order Refunded",
            {"order_id": "A", "refund_id": "r", "total": 1},
            Entry("refund", "A", "1", None, "r"),
        ),
        (
            "Contract Signed",
            {"contract_id": "c", "ends_at": "2026-12-31"},
            Entry("contract", "c", ends_on="2026-12-31"),
        ),
        (
            "Contract Signed",
            {"ends_at": "2026-12-31T23:59:59+08:00"},
            Entry("contract", "m", ends_on="2026-12-31"),
        ),
        (
            "Contract Renewed",
            {"contract_id": "c", "ends_at": "2027-12-31"},
            Entry("renewal", "c", None, None, "m", "2027-12-31"),
        ),
        ("Value Loaded", {"movement_id": "v", "amount": 50, "value": 1}, Entry("load", "v", "50")),
        ("Value Spent", {"value": "0.5"}, Entry("spend", "m", "0.5")),
        ("Visit", {"order_id": "A"}, None),
        ("Some Event Of Yours", {"total": 1}, None),
    ],
)
def test_what_an_event_states(name: str, properties: dict[str, Any], entry: Entry | None) -> None:
    assert entry_of(name, properties, "m") == entry


@pytest.mark.parametrize(
    ("name", "properties", "why"),
    [
        ("Order Completed", {"total": "-1"}, "total must not be negative"),
        ("Order Completed", {"total": "much"}, "total: not an amount"),
        ("Order Completed", {"order_id": 1.5}, "order_id must be a string or an integer"),
        ("Order Completed", {"order_id": True}, "order_id must be"),
        ("Order Completed", {"order_id": "x" * 101}, "order_id is longer"),
        ("Order Completed", {"currency": "dollars"}, "currency: not an ISO 4217 code"),
        ("Order Completed", {"currency": 840}, "currency: not an ISO 4217 code"),
        ("Contract Signed", {}, "ends_at must be a date"),
        ("Contract Signed", {"ends_at": "tomorrow"}, "ends_at: not a date"),
        ("Contract Renewed", {"ends_at": 20261231}, "ends_at must be a date"),
        ("Value Loaded", {"amount": -5}, "amount must not be negative"),
    ],
)
def test_what_cannot_be_read_is_a_reason(name: str, properties: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        entry_of(name, properties, "m")


def test_amounts_become_exact_and_name_their_currency() -> None:
    properties = {
        "total": 19.90,
        "tax": "1.50",
        "products": [{"price": 9.95, "name": "x"}, "odd", {"price": None}],
    }
    exact_money("Order Completed", properties, "USD")
    assert properties == {
        "total": "19.9",
        "tax": "1.5",
        "currency": "USD",
        "products": [{"price": "9.95", "name": "x"}, "odd", {"price": None}],
    }


def test_a_stated_currency_stays() -> None:
    properties: dict[str, Any] = {"amount": 5, "currency": "eur"}
    exact_money("Value Loaded", properties, "USD")
    assert properties == {"amount": "5", "currency": "EUR"}


def test_a_refund_without_a_currency_is_of_its_orders_money() -> None:
    properties: dict[str, Any] = {"order_id": "A", "total": 5}
    exact_money("Order Refunded", properties, "USD")
    assert properties == {"order_id": "A", "total": "5"}


def test_no_currency_is_invented_where_there_is_no_amount() -> None:
    properties: dict[str, Any] = {"contract_id": "c", "ends_at": "2026-12-31"}
    exact_money("Contract Signed", properties, "USD")
    assert properties == {"contract_id": "c", "ends_at": "2026-12-31"}


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"total": 0.1 + 0.2}, "total: a JSON number of more than 15 digits"),
        ({"products": [{"price": "free"}]}, "price: not an amount"),
        ({"total": 1, "currency": "?"}, "currency"),
    ],
)
def test_money_that_is_not_exact_is_refused(properties: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        exact_money("Order Completed", properties, "USD")


def test_other_events_are_left_as_they_are() -> None:
    properties: dict[str, Any] = {"total": 0.1 + 0.2}
    exact_money("Some Event Of Yours", properties, "USD")
    assert properties == {"total": 0.1 + 0.2}


def test_the_registry_is_whole() -> None:
    assert len(REGISTRY) == len(SEMANTICS), "no name twice"
    assert {name for semantic in SEMANTICS for name in semantic.reads} == set(PROPERTIES)
    assert {"Message Sent", "Message Delivered", "Message Bounced", "Order Refunded"} <= NOT_OWN
    assert not {"Order Completed", "Visit", "Message Clicked", "Signed Up"} & NOT_OWN
