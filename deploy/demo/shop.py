"""The way in: batches of orders to `/v1/batch`, as the shop's own server would post them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import urllib3
from urllib3.util import Retry

from schemas import sources
from schemas.errors import CdpError, ConfigError, Unavailable
from schemas.settings import Settings
from schemas.sources import Declared

SOURCE = "shop"
BATCH = 1_000
"""Orders in a request: well under the protocol's 512,000 bytes."""
TIMEOUT = urllib3.Timeout(connect=5, read=30)
RETRY = Retry(
    total=20,
    allowed_methods=None,  # repeating a POST is harmless: each order counts once, by its id
    status_forcelist=(429, 503),
    respect_retry_after_header=True,
    backoff_factor=0.2,
    backoff_max=5,
    raise_on_status=False,
)


class Shop:
    """Posts as the source `shop`; one connection, requests one after the other."""

    def __init__(self, settings: Settings, pool: urllib3.HTTPConnectionPool) -> None:
        self._pool, self._url = pool, url(settings)
        key = source(settings).write_key.get_secret_value()
        self._headers = {
            **urllib3.make_headers(basic_auth=f"{key}:"),
            "Content-Type": "application/json",
        }

    def post(self, messages: list[dict[str, Any]]) -> None:
        """Return when the log has them all; busy and unreachable are tried again, refused is a CdpError."""
        for start in range(0, len(messages), BATCH):
            body = orjson.dumps({"batch": messages[start : start + BATCH]})
            try:
                answer = self._pool.request(
                    "POST", "/v1/batch", body=body, headers=self._headers, retries=RETRY
                )
            except urllib3.exceptions.HTTPError as error:
                raise Unavailable(f"ingest: {error}", self._url, "`cdp status`, `cdp logs ingest`") from None
            if answer.status != 200:
                hint = "is the ingest that answers there of these settings and sources?"
                raise CdpError(f"ingest refused a batch: {_reason(answer)}", self._url, hint)


@contextmanager
def open_shop(settings: Settings) -> Iterator[Shop]:
    """The shop's way in; ConfigError where no source may post for it."""
    pool = urllib3.HTTPConnectionPool(_host(settings), settings.ingest_port, maxsize=1, timeout=TIMEOUT)
    try:
        yield Shop(settings, pool)
    finally:
        pool.close()


def url(settings: Settings) -> str:
    """Where ingest answers."""
    return f"http://{_host(settings)}:{settings.ingest_port}"


def is_ready(settings: Settings) -> bool:
    """Whether ingest answers that it takes events."""
    pool = urllib3.HTTPConnectionPool(_host(settings), settings.ingest_port, timeout=TIMEOUT)
    try:
        return pool.request("GET", "/ready", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
    finally:
        pool.close()


def source(settings: Settings) -> Declared:
    """The source that the demo posts as."""
    for each in sources.load(settings.sources).sources:
        if each.name == SOURCE and each.enabled:
            return each
    where = str(settings.sources or sources.PRESET)
    raise ConfigError(f"there is no enabled source {SOURCE!r}, which the demo posts as", where, "add it")


def _host(settings: Settings) -> str:
    return "127.0.0.1" if settings.ingest_host in ("0.0.0.0", "::") else settings.ingest_host  # noqa: S104


def _reason(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        told = orjson.loads(answer.data)
        return f"{answer.status} {told['code']}: {told['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status} {answer.reason}"
