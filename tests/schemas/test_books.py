import copy
import functools
import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.books import (
    MAX_MESSAGES,
    MAX_OBJECTS,
    MAX_SUB_OBJECTS,
    Books,
    BooksFull,
    count_all,
    is_purchase,
    join_books,
    new_books,
)
from schemas.semantics import Entry
from tests.schemas.statements import LARGEST, Statement, note, order, posted, refund, statements


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


CONTRADICTORY = [
    [("shop", Entry("refund", "1", amount, "USD", "r"), 1, "m") for amount in ("10", "9", None)],
    [
        ("shop", Entry("renewal", "1", sub_id="r", ends_on=day), 1, "m")
        for day in ("2026-01-31", "2026-06-30")
    ],
    [("shop", Entry("contract", "1", ends_on=day), 1, "m") for day in ("2026-01-31", "2026-06-30")],
    [("shop", Entry("order", "1", "5", currency), 1, "m") for currency in ("USD", "EUR")],
    [("shop", Entry(kind, "1", "5", "USD"), 1, "m") for kind in ("load", "spend")],
]


@pytest.mark.parametrize("stated", CONTRADICTORY, ids=lambda stated: stated[0][1].kind)
def test_one_statement_made_twice_with_other_words_is_decided_by_the_words(stated: list[Statement]) -> None:
    forth, back = posted(stated), posted(stated[::-1])
    assert forth == back
    apart = [posted([each]) for each in stated]
    for first, second in itertools.permutations(apart, 2):
        assert join_books(first, second) == join_books(second, first)
    assert functools.reduce(join_books, apart) == forth


@given(statements)
def test_totals_agree_with_exact_fractions_of_the_objects(stated: list[Statement]) -> None:
    books = posted(stated)
    revenue: dict[str, Fraction] = {}
    for each in books["orders"].values():
        if each["paid"] is None or each["cancelled"]:
            continue
        amount, currency = Fraction(each["paid"][2]), each["paid"][3]
        backs = {
            id_: amount if a is None else Fraction(a)
            for id_, (a, c) in each["refunds"].items()
            if a is None or c in (None, currency)
        }
        so_far = backs.pop("", Fraction(0))
        kept = amount - min(max(sum(backs.values(), Fraction(0)), so_far), amount)
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
        (
            [refund("1", "30", sub_id=""), refund("1", "50", sub_id=""), order("1", "100")],
            1,
            {"USD": "50"},
            {"USD": "50"},
        ),
        (
            [order("1", "100"), refund("1", "30", sub_id=""), refund("1", "30")],
            1,
            {"USD": "70"},
            {"USD": "30"},
        ),
        (
            [
                order("1", "100"),
                refund("1", "30", sub_id=""),
                refund("1", "20"),
                refund("1", "20", sub_id="r2"),
            ],
            1,
            {"USD": "60"},
            {"USD": "40"},
        ),
        (
            [order("1", "100"), refund("1", "100", "EUR", ""), refund("1", "20")],
            1,
            {"USD": "80"},
            {"USD": "20"},
        ),
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
        note(books, "shop", entry, 1, "m")
    before = copy.deepcopy(books)
    with pytest.raises(BooksFull):
        note(books, "shop", ONE_MORE[book], 1, "m")
    assert books == before
    note(books, "shop", FULL[book][0], 1, "m")
    assert books == before, "what is known is still taken"


def test_messages_beyond_the_bound_are_refused_and_nothing_is_noted() -> None:
    books = new_books()
    for n in range(MAX_MESSAGES):
        note(books, "shop", Entry("order", "1", "5", "USD"), n, "m")
    before = copy.deepcopy(books)
    with pytest.raises(BooksFull):
        note(books, "shop", Entry("order", "1", "5", "USD"), MAX_MESSAGES, "m")
    assert books == before
