"""What the snippet says of whom."""

import gzip
import re

from tests.sdks.snippet.shop import ROOT, Shop, Visit, track

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_it_is_small() -> None:
    assert len(gzip.compress((ROOT / "ingest/snippet/cdp.js").read_bytes(), 9)) < 3_000


def test_page_track_and_identify_say_who_where_and_what(shop: Shop, visit: Visit) -> None:
    tab = visit.open("/?utm_source=letter")
    tab.evaluate(
        """cdp.page('Home', {theme: 'dark'});
           cdp.track('Planned', {guests: 2});
           cdp.identify('ada', {plan: 'gold'})"""
    )
    shop.arrive("Planned")  # and in one batch with it
    anonymous = tab.evaluate("localStorage['cdp.id']")
    events = shop.events("Page Viewed", "Planned", "Identified")
    mine = {e["name"]: e for e in events if e["identifiers"]["anonymous_id"] == [anonymous]}
    viewed, planned, identified = mine["Page Viewed"], mine["Planned"], mine["Identified"]
    assert viewed["properties"].items() >= {"name": "Home", "theme": "dark"}.items()
    assert planned["properties"]["guests"] == 2
    assert identified["traits"] == {"plan": "gold"}
    assert UUID.fullmatch(anonymous)
    assert viewed["identifiers"] == planned["identifiers"]
    assert identified["identifiers"] == {"anonymous_id": [anonymous], "user_id": ["ada"]}
    for event in (viewed, planned, identified):
        context = event["context"]
        page = {"url": f"{shop.url}/?utm_source=letter", "path": "/", "search": "?utm_source=letter"}
        assert context["page"].items() >= {**page, "title": "Shop /", "referrer": ""}.items()
        assert (context["locale"], context["consent"]) == ("en-GB", None)
        assert context["userAgent"] == tab.evaluate("navigator.userAgent")
        assert context["screen"]["width"] == tab.evaluate("screen.width")
        assert event["channel"] == "web"
        assert not event.get("bot")
        assert UUID.fullmatch(event["message_id"])


def test_the_visitor_is_the_same_on_the_next_page_and_another_user_is_another(
    shop: Shop, visit: Visit
) -> None:
    tab = visit.open()
    tab.evaluate("cdp.identify('bea'); cdp.track('Before')")
    (before,) = shop.arrive("Before")
    tab.goto(f"{shop.url}/?next")
    track(tab, "After")
    (after,) = shop.arrive("After")
    assert after["identifiers"] == before["identifiers"]
    assert after["identifiers"]["user_id"] == ["bea"]
    tab.evaluate("cdp.identify('cleo'); cdp.track('Other')")
    (other,) = shop.arrive("Other")
    assert other["identifiers"]["user_id"] == ["cleo"]
    assert other["identifiers"]["anonymous_id"] != before["identifiers"]["anonymous_id"]


def test_what_is_called_before_it_is_loaded_is_not_lost(shop: Shop, visit: Visit) -> None:
    tab = visit.context.new_page()
    tab.add_init_script("window.cdp = {q: [['track', 'Early', {first: true}]]}")
    tab.goto(shop.url)
    (early,) = shop.arrive("Early")
    assert early["properties"] == {"first": True}


def test_without_a_key_it_says_so_once_and_sends_nothing(shop: Shop, visit: Visit) -> None:
    tab = visit.context.new_page()
    with tab.expect_console_message(lambda message: message.type == "error") as told:
        tab.goto(f"{shop.url}/keyless")
    assert told.value.text == "cdp: the script element has no data-key, nothing is sent"
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    track(tab, "Keyless")
    tab.close()
    assert (errors, visit.sent) == ([], [])
