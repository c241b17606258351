"""Browser, system and device."""

from ingest.enrichment.agents import LONGEST
from tests.ingest.enrichment.contexts import FIREFOX, IPHONE, enriched


def test_what_a_browser_states_is_read() -> None:
    assert enriched({"userAgent": FIREFOX})["agent"] == {
        "browser": "Firefox", "browser_version": "128.0", "os": "Windows", "os_version": "10",
    }  # fmt: skip
    assert enriched({"userAgent": IPHONE}, channel="ecommerce")["agent"] == {
        "browser": "Mobile Safari", "browser_version": "17.5", "os": "iOS", "os_version": "17.5", "device": "iPhone",
    }  # fmt: skip


def test_the_header_counts_where_the_event_states_none_and_a_browser_or_app_sent_it() -> None:
    assert enriched({}, agent=FIREFOX)["agent"]["browser"] == "Firefox"
    assert enriched({"userAgent": ""}, channel="mobile", agent=FIREFOX)["agent"]["browser"] == "Firefox"
    assert enriched({"userAgent": IPHONE}, agent=FIREFOX)["agent"]["os"] == "iOS"
    for channel in ("ecommerce", "offline", "server"):
        assert "agent" not in enriched({}, channel=channel, agent=FIREFOX)


def test_what_the_sender_states_stays() -> None:
    context = {"userAgent": FIREFOX, "agent": {"browser": "Kiosk"}}
    assert enriched(context)["agent"] == {"browser": "Kiosk"}
    assert context == {"userAgent": FIREFOX, "agent": {"browser": "Kiosk"}}


def test_an_unknown_agent_adds_nothing() -> None:
    for agent in ("?", "\ud800", "\x00", 7, None, ["x"]):
        assert enriched({"userAgent": agent}) == {"userAgent": agent}


def test_an_endless_agent_is_read_by_its_start() -> None:
    assert enriched({"userAgent": FIREFOX + "x" * 30_000})["agent"]["browser"] == "Firefox"
    assert enriched({"userAgent": "x" * LONGEST + FIREFOX}) == {"userAgent": "x" * LONGEST + FIREFOX}
