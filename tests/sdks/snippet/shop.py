"""A shop with the snippet, its visitors, and what the log has of them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import BrowserContext, Page, Response

from tests.processes import Process
from tests.sdks.log import Log
from tests.sdks.scenarios import key_of
from tests.sdks.sites import Answer
from tests.waiting import until

ROOT = Path(__file__).parents[3]
LINES = re.search(r"```html\n(.*?)```", (ROOT / "docs/snippet.md").read_text(), re.DOTALL)
QUEUE = "Object.keys(localStorage).filter(k => k.startsWith('cdp:'))"


class Shop(NamedTuple):
    """Where it and its ingest are, the process of that, and its log."""

    log: Log
    process: Process
    ingest: str
    url: str

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
    if path == "/keyless":
        lines = lines.replace(f' data-key="{key}"', "")
    if path == "/asks":
        lines = lines.replace("async ", 'async data-consent="required" ')
    if path == "/strict":
        lines = lines.replace("<script>", '<script nonce="n0nce">')
        headers["content-security-policy"] = (
            f"default-src 'none'; script-src 'nonce-n0nce' {ingest}; connect-src {ingest}"
        )
    body = "" if path == "/elsewhere" else lines
    return Answer(200, headers, f"<!doctype html><title>Shop {path}</title>{body}".encode())


class Visit:
    """A visitor's browser; `sent` are the paths and statuses of what it posted to ingest."""

    def __init__(self, shop: Shop, context: BrowserContext) -> None:
        self.shop, self.context = shop, context
        self.sent: list[tuple[str, int]] = []
        context.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.request.method == "POST":
            self.sent.append((response.url.partition("?")[0].removeprefix(self.shop.ingest), response.status))

    def open(self, path: str = "/") -> Page:
        """A tab with a page of the shop, its snippet loaded."""
        tab = self.context.new_page()
        tab.goto(self.shop.url + path)
        tab.wait_for_function("!window.cdp || !cdp.q")
        return tab

    def statuses(self, tab: Page) -> list[int]:
        tab.evaluate("0")  # lets what the browser told meanwhile be noted
        return [status for _, status in self.sent]


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
