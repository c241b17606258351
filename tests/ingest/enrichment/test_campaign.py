"""utm parameters."""

from typing import Any

import pytest

from tests.ingest.enrichment.contexts import enriched, page


def campaign(url: str) -> Any:
    return enriched(page(url)).get("campaign")


def test_every_parameter_has_its_field() -> None:
    query = "utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=a+b&utm_content=top&utm_id=7&x=1"
    assert campaign(f"https://shop.example/?{query}#top") == {
        "source": "news", "medium": "email", "name": "spring", "term": "a b", "content": "top", "id": "7",
    }  # fmt: skip


def test_the_query_alone_is_read_where_the_url_has_none() -> None:
    context = page(search="ignored")
    context["page"]["search"] = "?utm_source=news"
    assert enriched(context)["campaign"] == {"source": "news"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/?utm_source=a&utm_source=b", {"source": "a"}),
        ("https://shop.example/?utm_source=%E5%A4%A9%FF", {"source": "天\ufffd"}),
        ("https://shop.example/?utm_source=a%00b%0A", {"source": "ab"}),
        ("https://shop.example/?utm_source=" + "x" * 500, {"source": "x" * 200}),
        ("https://[?utm_source=a", {"source": "a"}),
        ("https://shop.example/?utm_source=&utm_medium=%20", None),
        ("https://shop.example/utm_source=a", None),
        ("https://shop.example/#?utm_source=a", None),
        ("https://shop.example/?" + "&" * 30_000 + "utm_source=a", None),
    ],
)
def test_odd_urls(url: str, expected: dict[str, str] | None) -> None:
    assert campaign(url) == expected


def test_a_campaign_that_the_sender_states_is_left_alone() -> None:
    context = page("https://shop.example/?utm_source=a&utm_medium=b", campaign={"source": "mine"})
    assert enriched(context)["campaign"] == {"source": "mine"}


@pytest.mark.parametrize(
    "odd", [None, 7, "x", [], {}, {"url": 7}, {"url": None, "search": ["?utm_source=a"]}]
)
def test_what_is_no_page_has_none(odd: object) -> None:
    assert "campaign" not in enriched({"page": odd})
