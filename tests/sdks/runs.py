"""An SDK at work on an order of calls: a program, or a page in a browser."""

import json
import os
import subprocess
from pathlib import Path
from typing import Protocol, TypedDict

from playwright.sync_api import BrowserContext, Response

from tests.sdks.calls import Call
from tests.waiting import until

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / ".tools/sdks/node_modules"
SECONDS = 45
"""In which an SDK must end, also where it gives up."""


class Order(TypedDict):
    """Where to, with which write key, and what; whether a page asks ingest for its settings or has them itself."""

    host: str
    key: str
    calls: list[Call]
    asking: bool


class Run(Protocol):
    """What an SDK does with one order."""

    def ended(self) -> bool:
        """Whether it has delivered or given up everything."""

    def errors(self) -> list[str]:
        """What it reported to its user, once it has ended."""

    def stop(self) -> None:
        """End it, however far it is."""


class Program:
    """A driver as a child process, given its order on stdin."""

    def __init__(self, argv: list[str], env: dict[str, str], order: Order) -> None:
        local = {"NO_PROXY": "*", "no_proxy": "*", "NODE_PATH": str(NODE_MODULES)}
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **local, **env},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode())
        self._process.stdin.close()
        self._process.stdin = None

    def ended(self) -> bool:
        return self._process.poll() is not None

    def errors(self) -> list[str]:
        out, _ = self._process.communicate(timeout=SECONDS)
        assert self._process.returncode == 0
        errors: list[str] = json.loads(out)["errors"]
        return errors

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


class Page:
    """The page of the shop, told its order; it counts what was answered with 200."""

    def __init__(self, context: BrowserContext, url: str, order: Order) -> None:
        self._delivered, self._calls = 0, [call for call in order["calls"] if call["type"] != "flush"]
        self._page = context.new_page()
        self._page.on("response", self._note)
        self._page.goto(url)
        self._page.evaluate("order => tell(order)", order)

    def _note(self, response: Response) -> None:
        if response.request.method == "POST" and response.status == 200 and "/v1/m" not in response.url:
            self._delivered += 1

    def ended(self) -> bool:
        failed = len(self._page.evaluate("failed"))
        return bool(self._page.evaluate("told")) and self._delivered + failed >= len(self._calls)

    def errors(self) -> list[str]:
        until(self.ended, "the page has delivered or given up everything", SECONDS)
        errors: list[str] = self._page.evaluate("failed")
        return errors

    def stop(self) -> None:
        self._page.close()
