"""Strategies for business statements, and the books that follow from them."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas import money
from schemas.books import Books, new_books, post
from schemas.semantics import SO_FAR, Entry

Statement = tuple[str, Entry, int, str]
LARGEST = "9" * money.MAX_DIGITS + "." + "9" * money.SCALE

amounts = st.one_of(
    st.sampled_from(["0", "0.000000001", "10", "25.5", LARGEST]),
    st.decimals("0", "1000", places=2).map(money.text),
)
currencies = st.sampled_from(["USD", "EUR"])
days = st.sampled_from(["2025-12-31", "2026-06-30", "2027-01-15"])
ids = st.sampled_from(["1", "2", "3"])

entries = st.one_of(
    st.builds(Entry, st.just("order"), ids, amounts, currencies),
    st.builds(Entry, st.just("cancel"), ids),
    st.builds(Entry, st.just("refund"), ids, st.none() | amounts, st.none() | currencies, ids),
    st.builds(Entry, st.just("refund"), ids, amounts, st.none() | currencies, st.just(SO_FAR)),
    st.builds(Entry, st.just("contract"), ids, ends_on=days),
    st.builds(Entry, st.just("renewal"), ids, sub_id=ids, ends_on=days),
    st.builds(Entry, st.sampled_from(["load", "spend"]), ids, amounts, currencies),
)
statements: st.SearchStrategy[list[Statement]] = st.lists(
    st.tuples(st.sampled_from(["shop", "pos"]), entries, st.integers(0, 5), st.sampled_from(["a", "b"])),
    max_size=14,
)


def note(books: Books, source: str, entry: Entry, at: int, message_id: str) -> None:
    """Post one statement under a digest of its own: what is said decides, nothing is left out."""
    post(books, source, entry, at, message_id, f"{source} {entry} {at} {message_id}")


def posted(stated: list[Statement]) -> Books:
    """The books after these statements, in this order."""
    books = new_books()
    for statement in stated:
        note(books, *statement)
    return books


def order(id_: str, amount: str, currency: str = "USD", at: int = 1) -> Statement:
    """One order of the source `shop`."""
    return "shop", Entry("order", id_, amount, currency), at, f"m{id_}"


def refund(id_: str, amount: str | None, currency: str | None = "USD", sub_id: str = "r1") -> Statement:
    """One refund of an order of the source `shop`."""
    return "shop", Entry("refund", id_, amount, currency, sub_id), 2, f"m{id_}{sub_id}"


def decimals(totals: dict[str, Any]) -> dict[str, Decimal]:
    """Amounts by currency as numbers."""
    return {currency: Decimal(amount) for currency, amount in totals.items()}
