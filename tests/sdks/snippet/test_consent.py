"""Nothing is sent or stored that the visitor did not agree to."""

from tests.sdks.snippet.shop import Shop, Visit, is_empty, offline, track
from tests.waiting import until


def test_until_consent_is_given_nothing_is_sent_or_stored(shop: Shop, visit: Visit) -> None:
    tab = visit.open("/asks")
    track(tab, "Seen 1", "Seen 2")
    assert tab.evaluate("localStorage.length") == 0
    tab.evaluate("cdp.consent(true)")
    events = shop.arrive("Seen 1", "Seen 2")
    assert [event["context"]["consent"] for event in events] == [True, True]
    assert visit.statuses(tab) == [200], "one batch, after the consent"
    tab = visit.open("/asks")
    track(tab, "Seen later")
    assert shop.arrive("Seen later")[0]["identifiers"] == events[0]["identifiers"]


def test_a_refusal_erases_and_holds_on_later_pages(shop: Shop, visit: Visit) -> None:
    tab = visit.open()
    tab.evaluate("cdp.identify('dora'); cdp.track('Known')")
    (known,) = shop.arrive("Known")
    until(is_empty(tab), "it is out of the queue")
    posts = len(visit.statuses(tab))
    with offline(visit):
        tab.evaluate("cdp.track('Refused'); cdp.consent(false); cdp.track('Refused')")
        assert tab.evaluate("({...localStorage})") == {"cdp.consent": "no"}
    for path in ("/asks", "/"):
        tab = visit.open(path)
        track(tab, "Refused")
        assert tab.evaluate("({...localStorage})") == {"cdp.consent": "no"}
    tab.evaluate("cdp.consent(true); cdp.track('Agreed')")
    (agreed,) = shop.arrive("Agreed")
    assert set(agreed["identifiers"]) == {"anonymous_id"}
    assert agreed["identifiers"]["anonymous_id"] != known["identifiers"]["anonymous_id"]
    assert shop.events("Refused") == []
    assert len(visit.statuses(tab)) == posts + 1
