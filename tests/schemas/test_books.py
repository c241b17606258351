import copy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.books import (
    MAX_OBJECTS,
    MAX_SUB_OBJECTS,
    Books,
    BooksFull,
    count_all,
    is_purchase,
    join_books,
    new_books,
    post,
)
from schemas.semantics import Entry
from tests.schemas.statements import LARGEST, Statement, order, posted, refund, statements


@given(statements, st.data())
def test_any_order_and_repetition_gives_the_same_books(stated: list[Statement], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(stated), max_size=5)) if stated else []
    shuffled = data.draw(st.permutations(stated + again))
    assert posted(shuffled) == posted(stated)


@given(statements)
def test_the_running_totals_are_the_totals_counted_afresh(stated: list[Statement]) -> None:
    books = posted(stated)
    assert books == count_all(books)


@given(statements, st.data())
def test_books_kept_apart_join_to_the_books_kept_as_one(stated: list[Statement], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, 2), min_size=len(stated), max_size=len(stated)))
    apart = [posted([s for s, p in zip(stated, places, strict=True) if p == n]) for n in range(3)]
    before = copy.deepcopy(apart)
    whole = posted(stated)
    assert join_books(join_books(apart[0], apart[1]), apart[2]) == whole
    assert join_books(apart[2], join_books(apart[1], apart[0])) == whole
    assert join_books(whole, apart[0]) == whole, "what is already known changes nothing"
    assert apart == before, "joining changes neither side"


@given(statements)
def test_totals_agree_with_exact_fractions_of_the_objects(stated: list[Statement]) -> None:
    books = posted(stated)
    revenue: dict[str, Fraction] = {}
    for each in books["orders"].values():
        if each["paid"] is None or each["cancelled"]:
            continue
        amount, currency = Fraction(each["paid"][2]), each["paid"][3]
        backs = [
            amount if a is None else Fraction(a)
            for a, c in each["refunds"].values()
            if a is None or c in (None, currency)
        ]
        kept = amount - min(sum(backs, Fraction(0)), amount)
        revenue[currency] = revenue.get(currency, Fraction(0)) + kept
    assert {c: Fraction(a) for c, a in books["totals"]["revenue"].items()} == {
        c: a for c, a in revenue.items() if a
    }


def test_the_largest_amounts_add_up_to_the_last_digit() -> None:
    books = posted([order(str(n), LARGEST) for n in range(MAX_OBJECTS)])
    (total,) = books["totals"]["revenue"].values()
    assert Fraction(total) == Fraction(LARGEST) * MAX_OBJECTS
    assert len(total.split(".")[0]) <= 29, "it fits Decimal(38,9), also 500 times"
    back = [order("1", LARGEST), refund("1", "0.000000001")]
    assert Fraction(posted(back)["totals"]["revenue"]["USD"]) == Fraction(LARGEST) - Fraction("0.000000001")


@pytest.mark.parametrize(
    ("stated", "purchases", "revenue", "refunded"),
    [
        ([order("1", "100")], 1, {"USD": "100"}, {}),
        ([order("1", "100"), order("1", "100")], 1, {"USD": "100"}, {}),
        ([order("1", "100"), order("1", "120", at=9)], 1, {"USD": "120"}, {}),
        ([order("1", "100"), refund("1", "30")], 1, {"USD": "70"}, {"USD": "30"}),
        (
            [refund("1", "30"), refund("1", "30", sub_id="r2"), order("1", "100")],
            1,
            {"USD": "40"},
            {"USD": "60"},
        ),
        ([order("1", "100"), refund("1", None)], 0, {}, {"USD": "100"}),
        ([order("1", "100"), refund("1", "60"), refund("1", "60", sub_id="r2")], 0, {}, {"USD": "100"}),
        ([order("1", "100"), refund("1", "30", None)], 1, {"USD": "70"}, {"USD": "30"}),
        ([order("1", "100"), refund("1", "30", "EUR")], 1, {"USD": "100"}, {}),
        ([("shop", Entry("cancel", "1"), 1, "c"), order("1", "100")], 0, {}, {}),
        ([refund("1", "30")], 0, {}, {}),
        ([order("1", "0")], 1, {}, {}),
    ],
)
def test_what_an_order_comes_to(stated: list[Statement], purchases: int, revenue: Any, refunded: Any) -> None:
    totals = posted(stated)["totals"]
    assert (totals["purchases"], totals["revenue"], totals["refunded"]) == (purchases, revenue, refunded)


def test_an_order_is_one_per_source_and_id() -> None:
    books = posted([order("1", "5"), ("pos", Entry("order", "1", "7", "USD"), 1, "x")])
    assert books["totals"]["purchases"] == 2
    assert all(is_purchase(each) for each in books["orders"].values())


def test_contracts_renewals_and_stored_value() -> None:
    books = posted(
        [
            ("gym", Entry("renewal", "c", sub_id="r", ends_on="2027-12-31"), 5, "r"),
            ("gym", Entry("contract", "c", ends_on="2026-12-31"), 1, "c"),
            ("gym", Entry("load", "l", "50", "USD"), 1, "l"),
            ("gym", Entry("spend", "s", "80.25", "USD"), 2, "s"),
        ]
    )
    assert books["contract_end"] == "2027-12-31"
    totals = books["totals"]
    assert (totals["contracts"], totals["renewals"]) == (1, 1)
    assert totals["stored_value"] == {"USD": "-30.25"}


FULL = {
    "orders": [Entry("order", str(n), "1", "USD") for n in range(MAX_OBJECTS)],
    "contracts": [Entry("contract", str(n), ends_on="2026-12-31") for n in range(MAX_OBJECTS)],
    "movements": [Entry("load", str(n), "1", "USD") for n in range(MAX_OBJECTS)],
    "refunds": [Entry("refund", "1", "1", "USD", str(n)) for n in range(MAX_SUB_OBJECTS)],
    "renewals": [Entry("renewal", "1", sub_id=str(n), ends_on="2026-12-31") for n in range(MAX_SUB_OBJECTS)],
}
ONE_MORE = {
    "orders": Entry("order", "more", "1", "USD"),
    "contracts": Entry("contract", "more", ends_on="2026-12-31"),
    "movements": Entry("spend", "more", "1", "USD"),
    "refunds": Entry("refund", "1", "1", "USD", "more"),
    "renewals": Entry("renewal", "1", sub_id="more", ends_on="2026-12-31"),
}


@pytest.mark.parametrize("book", FULL)
def test_one_object_too_many_is_refused_and_nothing_is_noted(book: str) -> None:
    books: Books = new_books()
    for entry in FULL[book]:
        post(books, "shop", entry, 1, "m")
    before = copy.deepcopy(books)
    with pytest.raises(BooksFull):
        post(books, "shop", ONE_MORE[book], 1, "m")
    assert books == before
    post(books, "shop", FULL[book][0], 1, "m")
    assert books == before, "what is known is still taken"
