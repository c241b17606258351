"""What the enrichers are together."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.canonical import Arrival
from ingest.enrichment.registry import enricher, enriching
from schemas.sources import Enrichment, Source, WriteKey
from tests.ingest.desks import NOW
from tests.ingest.enrichment.contexts import FIREFOX, OFF, enriched, page

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = ("page", "referrer", "campaign", "userAgent", "ip", "agent", "location", "library")
PAGES = st.dictionaries(
    st.sampled_from(("url", "search", "referrer")), ODD | st.text().map("https://x/?utm_".__add__)
)


def test_nothing_is_no_function() -> None:
    assert enricher(OFF, "ecommerce") is None


def test_everything_adds_up() -> None:
    context = page(
        "https://shop.example/?utm_source=news", "https://t.co/x", userAgent=FIREFOX, ip="203.0.113.77"
    )
    found = enriched(context)
    assert found.keys() == {"page", "userAgent", "ip", "agent", "campaign", "referrer"}
    assert found["referrer"]["class"] == "campaign"


def test_each_can_be_switched_off() -> None:
    context = page("https://shop.example/?utm_source=news", "https://t.co/x", userAgent=FIREFOX)
    for name in ("agent", "campaign", "referrer"):
        assert name not in enriched(context, Enrichment(**{name: False}))


def test_a_source_has_what_its_record_asks_for() -> None:
    record = Source(
        name="shop",
        channel="ecommerce",
        enrichment=OFF,
        changed_at=0,
        keys=(WriteKey(digest="0" * 32, since=0),),
    )
    assert enriching(None)(record) is None
    assert enriching(None)(record.model_copy(update={"enrichment": Enrichment()})) is not None


@settings(max_examples=300, deadline=None)
@given(context=st.dictionaries(st.sampled_from(PLACES), ODD | PAGES), agent=st.text(), ip=st.text())
def test_whatever_is_sent_is_taken_left_as_it_is_and_never_overwritten(
    context: dict[str, Any], agent: str, ip: str
) -> None:
    before = repr(context)
    for asked in (Enrichment(), Enrichment(ip="keep")):
        enrich = enricher(asked, "web")
        assert enrich is not None
        found, _ = enrich(context, Arrival(NOW, "request", agent=agent, ip=ip))
        assert repr(context) == before
        for place, value in context.items():
            if place != "ip" and value is not None:
                kept = found[place] if type(value) is not dict else {key: found[place][key] for key in value}
                assert repr(kept) == repr(value)
        assert "campaign" in context or "\\x00" not in repr(found.get("campaign"))
