"""Headless Chromium, and pages in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

ARGUMENTS = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
"""The user agent of a browser that somebody looks at; a headless one says what it is."""


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "Chromium is not installed: `make setup` says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody with a browser of their own: no history, no storage."""
    major = browser.version.split(".")[0]
    context = browser.new_context(user_agent=PERSON.format(f"{major}.0.0.0"), locale="en-GB")
    try:
        yield context
    finally:
        context.close()
