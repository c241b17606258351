"""ingest/snippet/cdp.js in headless Chromium, on a shop's pages of another origin."""

import gzip
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page

from deploy.init import init
from tests.conftest import settings_for
from tests.ingest.servers import serving as ingest_serving
from tests.processes import Process
from tests.sdks.browser import visitor
from tests.sdks.conftest import source
from tests.sdks.log import Log, reading
from tests.sdks.scenarios import key_of
from tests.sdks.sites import Answer, Request, serving
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SNIPPET = ROOT / "ingest/snippet/cdp.js"
LINES = re.search(r"```html\n(.*?)```", (ROOT / "docs/snippet.md").read_text(), re.DOTALL)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
QUEUE = "Object.keys(localStorage).filter(k => k.startsWith('cdp:'))"


class World(NamedTuple):
    log: Log
    process: Process
    ingest: str
    shop: str

    def events(self, *names: str) -> list[Any]:
        """The log's events of these names, in the order in which they happened."""
        found = [event for event in self.log.events() if event["name"] in names]
        return sorted(found, key=lambda event: event["occurred_at"])

    def arrive(self, *names: str) -> list[Any]:
        """Exactly these, each once."""
        until(lambda: len(self.events(*names)) >= len(names), f"{names} are in the log", 30)
        events = self.events(*names)
        assert sorted(event["name"] for event in events) == sorted(names)
        return events


def page(ingest: str, path: str) -> Answer:
    """A page of the shop, with the lines that docs/snippet.md gives."""
    assert LINES is not None
    key = key_of("slow" if path == "/slow" else "nobody" if path == "/nobody" else "web")
    lines = LINES[1].replace("https://collect.example", ingest).replace("WRITE_KEY", key)
    lines = lines.replace("  cdp.page();\n", "")
    headers = {"content-type": "text/html"}
    if path == "/asks":
        lines = lines.replace("async ", 'async data-consent="required" ')
    if path == "/strict":
        lines = lines.replace("<script>", '<script nonce="n0nce">')
        headers["content-security-policy"] = (
            f"default-src 'none'; script-src 'nonce-n0nce' {ingest}; connect-src {ingest}"
        )
    body = "" if path == "/elsewhere" else lines
    return Answer(200, headers, f"<!doctype html><title>Shop {path}</title>{body}".encode())


@pytest.fixture(scope="module")
def world(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("snippet")
    sources = [source("web"), {**source("slow"), "rate": 1}]
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": sources}))
    settings = settings_for(home, kafka=kafka, sources=home / "sources.yaml")
    init(settings)
    ingest, process = f"http://127.0.0.1:{settings.ingest_port}", Process("ingest", settings)

    def answer(request: Request) -> Answer:
        return page(ingest, request.path.partition("?")[0])

    with ingest_serving(process, settings), serving(answer) as port, reading(settings) as log:
        yield World(log, process, ingest, f"http://localhost:{port}")


class Visit:
    """A visitor's browser; `sent` are the paths and statuses of what it posted to ingest."""

    def __init__(self, world: World, context: BrowserContext) -> None:
        self.world, self.context = world, context
        self.sent: list[tuple[str, int]] = []
        context.on("response", self._note)

    def _note(self, response: Any) -> None:
        if response.request.method == "POST":
            self.sent.append(
                (response.url.partition("?")[0].removeprefix(self.world.ingest), response.status)
            )

    def open(self, path: str = "/") -> Page:
        """A tab with a page of the shop, its snippet loaded."""
        tab = self.context.new_page()
        tab.goto(self.world.shop + path)
        tab.wait_for_function("!window.cdp || !cdp.q")
        return tab

    def statuses(self, tab: Page) -> list[int]:
        tab.evaluate("0")  # lets what the browser told meanwhile be noted
        return [status for _, status in self.sent]


@pytest.fixture
def visit(world: World, browser: Browser) -> Iterator[Visit]:
    with visitor(browser) as context:
        yield Visit(world, context)


def track(tab: Page, *names: str) -> None:
    tab.evaluate("names => names.forEach(name => cdp.track(name))", list(names))


def is_empty(tab: Page) -> Callable[[], bool]:
    """Whether everything was answered for."""
    return lambda: not tab.evaluate(QUEUE)


@contextmanager
def offline(visit: Visit) -> Iterator[None]:
    visit.context.set_offline(True)
    try:
        yield
    finally:
        visit.context.set_offline(False)


def test_it_is_small() -> None:
    assert len(gzip.compress(SNIPPET.read_bytes(), 9)) < 3_000


def test_page_track_and_identify_say_who_where_and_what(world: World, visit: Visit) -> None:
    tab = visit.open("/?utm_source=letter")
    tab.evaluate(
        """cdp.page('Home', {theme: 'dark'});
           cdp.track('Planned', {guests: 2});
           cdp.identify('ada', {plan: 'gold'})"""
    )
    viewed, planned, identified = world.arrive("Page Viewed", "Planned", "Identified")
    assert viewed["properties"].items() >= {"name": "Home", "theme": "dark"}.items()
    assert planned["properties"]["guests"] == 2
    assert identified["traits"] == {"plan": "gold"}
    (anonymous,) = viewed["identifiers"]["anonymous_id"]
    assert UUID.fullmatch(anonymous)
    assert viewed["identifiers"] == planned["identifiers"]
    assert identified["identifiers"] == {"anonymous_id": [anonymous], "user_id": ["ada"]}
    for event in (viewed, planned, identified):
        context = event["context"]
        page = {"url": f"{world.shop}/?utm_source=letter", "path": "/", "search": "?utm_source=letter"}
        assert context["page"].items() >= {**page, "title": "Shop /", "referrer": ""}.items()
        assert (context["locale"], context["consent"]) == ("en-GB", None)
        assert context["userAgent"] == tab.evaluate("navigator.userAgent")
        assert context["screen"]["width"] == tab.evaluate("screen.width")
        assert event["channel"] == "web"
        assert not event.get("bot")
        assert UUID.fullmatch(event["message_id"])


def test_the_visitor_is_the_same_on_the_next_page_and_another_user_is_another(
    world: World, visit: Visit
) -> None:
    tab = visit.open()
    tab.evaluate("cdp.identify('bea'); cdp.track('Before')")
    (before,) = world.arrive("Before")
    tab.goto(f"{world.shop}/?next")
    track(tab, "After")
    (after,) = world.arrive("After")
    assert after["identifiers"] == before["identifiers"]
    assert after["identifiers"]["user_id"] == ["bea"]
    tab.evaluate("cdp.identify('cleo'); cdp.track('Other')")
    (other,) = world.arrive("Other")
    assert other["identifiers"]["user_id"] == ["cleo"]
    assert other["identifiers"]["anonymous_id"] != before["identifiers"]["anonymous_id"]


def test_what_is_called_before_it_is_loaded_is_not_lost(world: World, visit: Visit) -> None:
    tab = visit.context.new_page()
    tab.add_init_script("window.cdp = {q: [['track', 'Early', {first: true}]]}")
    tab.goto(world.shop)
    (early,) = world.arrive("Early")
    assert early["properties"] == {"first": True}


def test_until_consent_is_given_nothing_is_sent_or_stored(world: World, visit: Visit) -> None:
    tab = visit.open("/asks")
    track(tab, "Seen 1", "Seen 2")
    assert tab.evaluate("localStorage.length") == 0
    tab.evaluate("cdp.consent(true)")
    events = world.arrive("Seen 1", "Seen 2")
    assert [event["context"]["consent"] for event in events] == [True, True]
    assert visit.statuses(tab) == [200], "one batch, after the consent"
    tab = visit.open("/asks")
    track(tab, "Seen later")
    assert world.arrive("Seen later")[0]["identifiers"] == events[0]["identifiers"]


def test_a_refusal_erases_and_holds_on_later_pages(world: World, visit: Visit) -> None:
    tab = visit.open()
    tab.evaluate("cdp.identify('dora'); cdp.track('Known')")
    (known,) = world.arrive("Known")
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
    (agreed,) = world.arrive("Agreed")
    assert set(agreed["identifiers"]) == {"anonymous_id"}
    assert agreed["identifiers"]["anonymous_id"] != known["identifiers"]["anonymous_id"]
    assert world.events("Refused") == []
    assert len(visit.statuses(tab)) == posts + 1


def test_leaving_for_another_page_sends_what_is_left(world: World, visit: Visit) -> None:
    tab = visit.open()
    tab.evaluate("cdp.track('Left'); location.href = '/elsewhere'")
    world.arrive("Left")
    tab = visit.open()  # a beacon has no answer: the next page sends it again, as the same event
    until(is_empty(tab), "the next page heard that it is in the log")
    assert len({event["message_id"] for event in world.events("Left")}) == 1


def test_closing_the_tab_sends_what_is_left(world: World, visit: Visit) -> None:
    tab = visit.open()
    track(tab, "Closed")
    tab.close()
    world.arrive("Closed")


def test_hidden_it_sends_what_is_left_and_not_again(world: World, visit: Visit) -> None:
    tab, asked = visit.open(), []
    visit.context.on("request", lambda request: asked.append(request.url.removeprefix(world.ingest)))
    tab.evaluate(
        """Object.defineProperty(document, 'hidden', {value: true});
           cdp.track('Hidden');
           document.dispatchEvent(new Event('visibilitychange'));
           cdp.track('Played on')"""
    )
    world.arrive("Hidden", "Played on")
    until(lambda: len(tab.evaluate(QUEUE)) == 1, "what left by a beacon waits for the next page")
    assert asked == [f"/beacon/v1/batch?writeKey={key_of('web')}", "/v1/batch"]


def test_offline_it_keeps_events_and_sends_them_once_when_online(world: World, visit: Visit) -> None:
    tab = visit.open()
    visit.context.clock.install()
    with offline(visit):
        track(tab, "In a tunnel")
        assert len(tab.evaluate(QUEUE)) == 1
        visit.context.clock.pause_at(time.time() + 3_600)  # no timer fires from here on
    world.arrive("In a tunnel")
    until(is_empty(tab), "it is out of the queue")
    visit.context.clock.resume()
    with offline(visit):
        track(tab, "On a mountain", "On another")
        tab.close()
    tab = visit.open()
    until(is_empty(tab), "the next page sent what was left")
    kept = world.events("On a mountain", "On another")
    assert {event["name"] for event in kept} == {"On a mountain", "On another"}
    assert (
        len({event["message_id"] for event in kept}) == 2
    )  # a browser may let a beacon go when a tab is closed


def test_while_ingest_is_away_it_keeps_events_over_a_reload(world: World, visit: Visit) -> None:
    tab = visit.open()
    world.process.end()
    track(tab, "Away 1")
    tab.reload()
    tab.wait_for_function("!cdp.q")  # the browser has the snippet
    track(tab, "Away 2")
    assert len(tab.evaluate(QUEUE)) == 2
    world.process.start()
    world.arrive("Away 1", "Away 2")
    until(is_empty(tab), "they are out of the queue")


def test_too_much_is_sent_again_after_what_the_answer_asks_to_wait(world: World, visit: Visit) -> None:
    tab = visit.open("/slow")
    track(tab, "Slow 1", "Slow 2", "Slow 3")
    until(is_empty(tab), "three of one a second are taken, on credit")
    track(tab, "Slow 4")
    until(is_empty(tab), "everything is out of the queue")
    assert visit.statuses(tab) == [200, 429, 200]
    assert len(world.arrive("Slow 1", "Slow 2", "Slow 3", "Slow 4")) == 4


def test_a_wrong_key_is_given_up_and_the_console_says_so(world: World, visit: Visit) -> None:
    tab = visit.open("/nobody")
    with tab.expect_console_message(lambda message: message.type == "warning") as warning:
        track(tab, "Unheard")
    assert warning.value.text == "cdp: 401: 1 events dropped"
    until(is_empty(tab), "it is dropped")
    assert visit.sent == [("/v1/batch", 401)]


def test_two_tabs_lose_nothing(world: World, visit: Visit) -> None:
    tabs = [visit.open(), visit.open()]
    names = [f"Tab {tab} {number}" for tab in range(2) for number in range(20)]
    with offline(visit):
        for index, tab in enumerate(tabs):
            track(tab, *names[20 * index : 20 * index + 20])
    until(lambda: {e["name"] for e in world.events(*names)} == set(names), "all are in the log")
    events = world.events(*names)
    assert len({event["message_id"] for event in events}) == len(names)
    assert len({str(event["identifiers"]) for event in events}) == 1


def test_the_queue_is_bounded_and_leaves_in_batches_that_a_beacon_could_take(
    world: World, visit: Visit
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
    assert {event["name"] for event in world.events(*names)} == set(names[10:])
    assert max(tab.evaluate("sizes")) < 60_000
    assert tab.evaluate("refused") == 0, "the browser never had too much to send at once"


def test_a_strict_content_security_policy_is_no_hindrance(world: World, visit: Visit) -> None:
    tab = visit.open("/strict")
    track(tab, "Strictly")
    world.arrive("Strictly")
    tab.evaluate("cdp.track('Strictly left'); location.href = '/elsewhere'")
    world.arrive("Strictly left")


def test_without_storage_it_still_sends(world: World, visit: Visit) -> None:
    visit.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"
    )
    tab = visit.open()
    track(tab, "Forgotten 1", "Forgotten 2")
    first, second = world.arrive("Forgotten 1", "Forgotten 2")
    assert first["identifiers"] == second["identifiers"]
