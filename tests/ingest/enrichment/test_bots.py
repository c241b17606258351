"""Who is a program."""

import pytest

from schemas.sources import Enrichment
from tests.ingest.enrichment.contexts import FIREFOX, GOOGLEBOT, IPHONE, with_mark

PROGRAMS = [
    GOOGLEBOT,
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36",
]
LIBRARIES = ["python-requests/2.32.3", "okhttp/4.12.0", "curl/8.5.0", "Go-http-client/2.0"]
PEOPLE = [
    FIREFOX,
    IPHONE,
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 9; CUBOT X20) AppleWebKit/537.36 Chrome/90.0.0.0 Mobile Safari/537.36",
    "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230901.001)",
    "Shop/4.1 CFNetwork/1490.0.4 Darwin/23.2.0",
]
SDKS = ["analytics-python/2.3.3", "analytics-node/2.1.0", "RudderLabs-Python/2.1", ""]


@pytest.mark.parametrize("agent", PROGRAMS)
@pytest.mark.parametrize("channel", ["web", "mobile", "ecommerce"])
def test_a_program_that_names_itself_is_marked_wherever_it_is_stated(agent: str, channel: str) -> None:
    assert with_mark({"userAgent": agent}, channel=channel)[1] is True


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_are_not(agent: str) -> None:
    assert with_mark({}, agent=agent)[1] is False
    assert with_mark({}, agent=agent, channel="mobile")[1] is False


@pytest.mark.parametrize("agent", LIBRARIES)
def test_a_library_is_a_program_on_the_web_and_how_apps_and_servers_send_elsewhere(agent: str) -> None:
    assert with_mark({}, agent=agent)[1] is True
    assert with_mark({}, agent=agent, channel="mobile")[1] is False
    assert with_mark({"userAgent": agent}, channel="offline")[1] is False


@pytest.mark.parametrize("agent", SDKS)
def test_a_tracking_sdk_is_none(agent: str) -> None:
    assert with_mark({}, agent=agent)[1] is False


def test_the_header_of_a_server_says_nothing_of_its_customer() -> None:
    assert with_mark({}, agent=GOOGLEBOT, channel="ecommerce")[1] is False


def test_no_mark_where_it_is_switched_off_or_cannot_be_read() -> None:
    assert with_mark({"userAgent": GOOGLEBOT}, Enrichment(bots=False))[1] is False
    odd: tuple[object, ...] = ("\ud800", 7, None, {})
    for agent in odd:
        assert with_mark({"userAgent": agent})[1] is False
