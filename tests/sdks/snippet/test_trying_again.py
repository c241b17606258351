"""What is tried again, and what is given up."""

import time

from tests.sdks.snippet.shop import QUEUE, Shop, Visit, is_empty, offline, track
from tests.waiting import until


def test_offline_it_keeps_events_and_sends_them_once_when_online(shop: Shop, visit: Visit) -> None:
    tab = visit.open()
    visit.context.clock.install()
    with offline(visit):
        track(tab, "In a tunnel")
        assert len(tab.evaluate(QUEUE)) == 1
        visit.context.clock.pause_at(time.time() + 3_600)  # no timer fires from here on
    shop.arrive("In a tunnel")
    until(is_empty(tab), "it is out of the queue")
    visit.context.clock.resume()
    with offline(visit):
        track(tab, "On a mountain", "On another")
        tab.close()
    tab = visit.open()
    until(is_empty(tab), "the next page sent what was left")
    kept = shop.events("On a mountain", "On another")
    assert {event["name"] for event in kept} == {"On a mountain", "On another"}
    assert (
        len({event["message_id"] for event in kept}) == 2
    )  # a browser may let a beacon go when a tab is closed


def test_while_ingest_is_away_it_keeps_events_over_a_reload(shop: Shop, visit: Visit) -> None:
    tab = visit.open()
    shop.process.end()
    track(tab, "Away 1")
    tab.reload()
    tab.wait_for_function("!cdp.q")  # the browser has the snippet
    track(tab, "Away 2")
    assert len(tab.evaluate(QUEUE)) == 2
    shop.process.start()
    shop.arrive("Away 1", "Away 2")
    until(is_empty(tab), "they are out of the queue")


def test_too_much_is_sent_again_after_what_the_answer_asks_to_wait(shop: Shop, visit: Visit) -> None:
    tab = visit.open("/slow")
    track(tab, "Slow 1", "Slow 2", "Slow 3")
    until(is_empty(tab), "three of one a second are taken, on credit")
    track(tab, "Slow 4")
    until(is_empty(tab), "everything is out of the queue")
    assert visit.statuses(tab) == [200, 429, 200]
    assert len(shop.arrive("Slow 1", "Slow 2", "Slow 3", "Slow 4")) == 4


def test_a_wrong_key_is_given_up_and_the_console_says_so(shop: Shop, visit: Visit) -> None:
    tab = visit.open("/nobody")
    with tab.expect_console_message(lambda message: message.type == "warning") as warning:
        track(tab, "Unheard")
    assert warning.value.text == "cdp: 401: 1 events dropped"
    until(is_empty(tab), "it is dropped")
    assert visit.sent == [("/v1/batch", 401)]


def test_two_tabs_lose_nothing(shop: Shop, visit: Visit) -> None:
    tabs = [visit.open(), visit.open()]
    names = [f"Tab {tab} {number}" for tab in range(2) for number in range(20)]
    with offline(visit):
        for index, tab in enumerate(tabs):
            if index:  # a browser tells its other tabs of what is stored within moments, not at once
                tab.wait_for_function("localStorage['cdp.id']")
            track(tab, *names[20 * index : 20 * index + 20])
    until(lambda: {e["name"] for e in shop.events(*names)} == set(names), "all are in the log")
    events = shop.events(*names)
    assert len({event["message_id"] for event in events}) == len(names)
    assert len({str(event["identifiers"]) for event in events}) == 1


def test_the_queue_is_bounded_and_leaves_in_batches_that_a_beacon_could_take(
    shop: Shop, visit: Visit
) -> None:
    tab = visit.open()
    tab.evaluate(
        """const fetching = fetch;
           window.sizes = [];
           window.fetch = (to, given) => {
             sizes.push(new Blob([given.body]).size);
             return fetching(to, given).catch(error => { refused += navigator.onLine; throw error; });
           };
           window.refused = 0"""
    )
    names = [f"Many {number}" for number in range(1_010)]
    with offline(visit):
        track(tab, *names)
        assert len(tab.evaluate(QUEUE)) == 1_000
    until(is_empty(tab), "everything is sent")
    assert {event["name"] for event in shop.events(*names)} == set(names[10:])
    assert max(tab.evaluate("sizes")) < 60_000
    assert tab.evaluate("refused") == 0, "the browser never had too much to send at once"
