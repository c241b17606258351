"""What is left when a page goes; pages that are hard to send from."""

from tests.sdks.scenarios import key_of
from tests.sdks.snippet.shop import QUEUE, Shop, Visit, is_empty, track
from tests.waiting import until


def test_leaving_for_another_page_sends_what_is_left(shop: Shop, visit: Visit) -> None:
    tab = visit.open()
    tab.evaluate("cdp.track('Left'); location.href = '/elsewhere'")
    shop.arrive("Left")
    tab = visit.open()  # a beacon has no answer: the next page sends it again, as the same event
    until(is_empty(tab), "the next page heard that it is in the log")
    assert len({event["message_id"] for event in shop.events("Left")}) == 1


def test_closing_the_tab_sends_what_is_left(shop: Shop, visit: Visit) -> None:
    tab = visit.open()
    track(tab, "Closed")
    tab.close()
    shop.arrive("Closed")


def test_hidden_it_sends_what_is_left_and_not_again(shop: Shop, visit: Visit) -> None:
    tab, asked = visit.open(), []
    visit.context.on("request", lambda request: asked.append(request.url.removeprefix(shop.ingest)))
    tab.evaluate(
        """Object.defineProperty(document, 'hidden', {value: true});
           cdp.track('Hidden');
           document.dispatchEvent(new Event('visibilitychange'));
           cdp.track('Played on')"""
    )
    shop.arrive("Hidden", "Played on")
    until(lambda: len(tab.evaluate(QUEUE)) == 1, "what left by a beacon waits for the next page")
    assert asked == [f"/beacon/v1/batch?writeKey={key_of('web')}", "/v1/batch"]


def test_a_strict_content_security_policy_is_no_hindrance(shop: Shop, visit: Visit) -> None:
    tab = visit.open("/strict")
    track(tab, "Strictly")
    shop.arrive("Strictly")
    tab.evaluate("cdp.track('Strictly left'); location.href = '/elsewhere'")
    shop.arrive("Strictly left")


def test_without_storage_it_still_sends(shop: Shop, visit: Visit) -> None:
    visit.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"
    )
    tab = visit.open()
    track(tab, "Forgotten 1", "Forgotten 2")
    first, second = shop.arrive("Forgotten 1", "Forgotten 2")
    assert first["identifiers"] == second["identifiers"]
