from datetime import UTC, datetime, timedelta
from uuid import uuid5

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.changes import CHANGE_NAMESPACE, LIFECYCLE_CHANGED, ce_headers, change_id, customer_id

CUSTOMER = "3b0f7c82-02f9-565b-b84a-8eed9b904e79"


def test_ids_never_change() -> None:
    """Downstream systems keep these: the same cause gives the same id, in a rebuild too."""
    assert customer_id("user_id:5f4dcc3b5aa765d61d8327deb882cf99") == CUSTOMER
    key = "lifecycle/ecommerce/1"
    first = change_id(CUSTOMER, "lifecycle", key, "shop/m1", None, "prospect", 0)
    second = change_id(CUSTOMER, "lifecycle", key, "shop/m1", "prospect", "new", 1)
    assert first == "40c274eb-a673-5325-a9d7-1d95bdc57474"
    assert second == "1d896387-7af1-59f0-a9c3-75d4b428ebe3"


@given(st.text(max_size=40))
def test_ids_are_of_the_fifth_version_of_uuids(cause: str) -> None:
    named = f"{CUSTOMER}\nsegment\nsegment/vip/1\n{cause}\nentered\n\n0"
    assert change_id(CUSTOMER, "segment", "segment/vip/1", cause, "entered", "", 0) == str(
        uuid5(CHANGE_NAMESPACE, named)
    )


causes = st.tuples(
    st.sampled_from([CUSTOMER, customer_id("x")]),
    st.sampled_from(["lifecycle", "segment"]),
    st.sampled_from(["lifecycle/a/1", "lifecycle/a/11"]),
    st.text(st.sampled_from("a/1\n"), max_size=6),
    st.sampled_from([None, "new", "silent"]),
    st.sampled_from(["new", "silent"]),
    st.integers(0, 11),
)


@given(causes, causes)
def test_two_changes_never_share_an_id(
    one: tuple[str, str, str, str, str | None, str, int],
    other: tuple[str, str, str, str, str | None, str, int],
) -> None:
    assert (change_id(*one) == change_id(*other)) == (one == other)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
@example(109_968_577_290_234)
def test_ce_time_is_the_instant_to_the_millisecond(at: int) -> None:
    headers = dict(ce_headers("id", LIFECYCLE_CHANGED, "d", CUSTOMER, at))
    time = headers["ce_time"].decode()
    assert time.endswith("Z")
    assert datetime.fromisoformat(time) - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(milliseconds=at)


def test_the_headers_are_those_of_cloudevents_in_binary_mode() -> None:
    assert ce_headers("id", LIFECYCLE_CHANGED, "d", CUSTOMER, 1_700_000_000_123) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"id"),
        ("ce_type", b"cdp.lifecycle.changed.v1"),
        ("ce_source", b"/cdp/d"),
        ("ce_subject", CUSTOMER.encode()),
        ("ce_time", b"2023-11-14T22:13:20.123Z"),
        ("content-type", b"application/json"),
    ]
