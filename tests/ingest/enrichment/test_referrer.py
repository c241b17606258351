"""What kind of page led here."""

from typing import Any

import pytest

from ingest.enrichment.sites import COUNTRIES, SITES
from tests.ingest.enrichment.contexts import enriched, page

HERE = "https://www.shop.example/shoes"
TAGGED = f"{HERE}?utm_source=news&utm_medium=cpc"
MAILED = f"{HERE}?utm_source=news&utm_medium=Email"


@pytest.mark.parametrize(
    ("here", "referrer", "kind", "domain"),
    [
        (HERE, "", "direct", None),
        (HERE, "https://www.google.com/", "search", "google.com"),
        (HERE, "https://google.co.uk/search?q=x", "search", "google.co.uk"),
        (HERE, "https://images.google.de/", "search", "images.google.de"),
        (HERE, "https://duckduckgo.com/", "search", "duckduckgo.com"),
        (HERE, "https://uk.search.yahoo.com/search", "search", "uk.search.yahoo.com"),
        (HERE, "https://www.yahoo.co.jp/", "search", "yahoo.co.jp"),
        (HERE, "https://www.baidu.com/link?url=x", "search", "baidu.com"),
        (HERE, "https://tieba.baidu.com/p/1", "social", "tieba.baidu.com"),
        (HERE, "https://l.facebook.com/l.php", "social", "l.facebook.com"),
        (HERE, "https://t.co/abc", "social", "t.co"),
        (HERE, "https://de.pinterest.com/", "social", "de.pinterest.com"),
        (HERE, "android-app://com.instagram.android/", "social", "com.instagram.android"),
        (HERE, "https://mail.google.com/mail/u/0/", "email", "mail.google.com"),
        (HERE, "android-app://com.google.android.gm", "email", "com.google.android.gm"),
        (HERE, "https://accounts.google.com/signin", "other", "accounts.google.com"),
        (HERE, "https://docs.google.com/", "other", "docs.google.com"),
        (HERE, "https://notfacebook.com/", "other", "notfacebook.com"),
        (HERE, "https://blog.example:8443/x", "other", "blog.example"),
        (HERE, "https://www.shop.example/", "internal", "shop.example"),
        (HERE, "https://checkout.shop.example/pay", "internal", "checkout.shop.example"),
        ("https://checkout.shop.example/pay", HERE, "internal", "shop.example"),
        (TAGGED, "", "campaign", None),
        (TAGGED, "https://www.google.com/", "campaign", "google.com"),
        (TAGGED, "https://shop.example/", "internal", "shop.example"),
        (TAGGED, "https://mail.google.com/", "email", "mail.google.com"),
        (MAILED, "", "email", None),
        (MAILED, "https://blog.example/", "email", "blog.example"),
        (HERE, "no url", "other", None),
        (HERE, "https://[", "other", None),
    ],
)
def test_a_referrer_has_a_class(here: str, referrer: str, kind: str, domain: str | None) -> None:
    expected = {
        "class": kind,
        **({"url": referrer} if referrer else {}),
        **({"domain": domain} if domain else {}),
    }
    assert enriched(page(here, referrer))["referrer"] == expected


def test_an_endless_url_is_kept_once() -> None:
    found = enriched(page(HERE, "https://t.co/" + "x" * 30_000))
    assert found["referrer"] == {"url": "https://t.co/" + "x" * 2_035, "class": "social", "domain": "t.co"}


def test_what_the_sender_states_of_it_stays() -> None:
    stated = {"url": "https://www.bing.com/", "name": "partner", "domain": "mine"}
    assert enriched({**page(HERE, "https://t.co/x"), "referrer": stated})["referrer"] == {
        **stated,
        "class": "search",
    }
    wholes: tuple[object, ...] = ({"class": "mine"}, "https://t.co/x", ["x"], 7)
    for whole in wholes:
        assert enriched({**page(HERE, "https://t.co/x"), "referrer": whole})["referrer"] == whole


def test_where_no_page_is_told_nothing_is_said() -> None:
    contexts: list[dict[str, Any]] = [{}, {"page": None}, {"page": 7}, {"page": {"url": HERE}}, {"page": {}}]
    for context in contexts:
        assert enriched(context) == context


@pytest.mark.parametrize("odd", [7, ["x"], {"x": 1}, True])
def test_a_referrer_that_is_no_text_is_none(odd: object) -> None:
    assert enriched({"page": {"url": odd, "referrer": odd}})["referrer"] == {"class": "direct"}


def test_a_domain_is_of_one_kind_and_written_as_it_is_looked_up() -> None:
    listed = [*SITES, *COUNTRIES]
    assert all(domain == domain.lower().strip(".") and not domain.startswith("www.") for domain in listed)
