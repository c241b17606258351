from base64 import b64encode
from typing import Any

import pytest

from deploy.sources.change import opened, rotated
from deploy.sources.log import record
from ingest.canonical import Plan
from ingest.doors import Door, Doors
from ingest.problems import Problem
from ingest.usage import Tally
from schemas.definitions import load
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.sources import Source, Terms, key_digest
from tests.processes import SECRET

NOW = 1_790_000_000_000
HOUR = 3_600_000
SETTINGS = Settings.model_validate({"key_secret": SECRET})


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


def doors(*known: Source, clock: Clock | None = None, **more: Any) -> Doors:
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    found = Doors(rules, SETTINGS, Tally("me", "UTC"), now=clock or Clock(), **more)
    for source in known:
        found.apply(*record(source))
    return found


def digest(key: str) -> str:
    return key_digest(SECRET, key)


def source(name: str = "till", key: str = "the-key-of-the-till", **terms: Any) -> Source:
    return opened(Terms.model_validate({"name": name, "channel": "web", **terms}), digest(key), NOW, "")


def status(found: Doors, key: Any) -> int:
    try:
        found.by_key(key)
    except Problem as problem:
        return problem.status
    return 200


def opened_by(found: Doors, headers: dict[bytes, bytes], query: bytes = b"") -> Door | None:
    return found.by_request(headers, query)


def test_a_key_is_found_wherever_an_sdk_puts_it() -> None:
    found, key = doors(source()), b"the-key-of-the-till"
    basic = b"Basic " + b64encode(key + b":")
    for door in (
        opened_by(found, {b"authorization": basic}),
        opened_by(found, {b"authorization": basic.replace(b"Basic", b"basic")}),
        opened_by(found, {b"x-write-key": key}),
        opened_by(found, {}, b"a=1&writeKey=" + key),
        found.by_key(key.decode()),
    ):
        assert door is not None
        assert door.source.name == "till"
    assert opened_by(found, {}) is None
    assert opened_by(found, {b"authorization": b"Basic " + b64encode(b":")}, b"x=1") is None


@pytest.mark.parametrize(
    "key", ["", "another-key", "x" * 100_000, "ключ-кассы", "\ud800", 7, None, ["the-key-of-the-till"], True]
)
def test_what_is_nobodys_key_is_401(key: Any) -> None:
    assert status(doors(source()), key) == 401


def test_a_rotated_key_is_taken_until_its_grace_ends_by_the_clock() -> None:
    clock = Clock()
    found = doors(source(), clock=clock)
    assert status(found, "the-key-of-the-till") == 200
    found.apply(*record(rotated(source(), digest("the-new-key"), NOW, HOUR, "spring")))
    assert (status(found, "the-key-of-the-till"), status(found, "the-new-key")) == (200, 200)
    clock.now += HOUR - 1
    assert status(found, "the-key-of-the-till") == 200
    clock.now += 1
    assert (status(found, "the-key-of-the-till"), status(found, "the-new-key")) == (401, 200)


def test_without_grace_the_old_key_stops_at_once_however_often_it_was_used() -> None:
    found = doors(source())
    assert [status(found, "the-key-of-the-till") for _ in range(3)] == [200] * 3
    found.apply(*record(rotated(source(), digest("the-new-key"), NOW, 0, "leaked")))
    assert (status(found, "the-key-of-the-till"), status(found, "the-new-key")) == (401, 200)


def test_a_second_rotation_never_lengthens_a_grace() -> None:
    once = rotated(source(), digest("the-second-key"), NOW, HOUR, "")
    twice = rotated(once, digest("the-third-key"), NOW, 9 * HOUR, "")
    assert [key.until for key in twice.keys] == [NOW + HOUR, NOW + 9 * HOUR, None]
    assert len(rotated(twice, digest("the-fourth-key"), NOW + HOUR, 0, "").keys) == 1


def test_a_disabled_source_is_404_at_once_and_back_when_it_is_enabled() -> None:
    found = doors(source())
    found.apply(*record(source(enabled=False)))
    assert status(found, "the-key-of-the-till") == 404
    found.apply(*record(source()))
    assert status(found, "the-key-of-the-till") == 200


def test_a_source_that_is_no_more_is_unknown() -> None:
    found = doors(source())
    found.apply("source/till", None)
    assert status(found, "the-key-of-the-till") == 401
    assert len(found) == 0


def test_a_key_that_two_sources_have_stays_with_the_other() -> None:
    found = doors(source("a"), source("b", key="another-key"))
    found.apply("source/a", None)
    assert status(found, "another-key") == 200


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source/till", b"{"),
        ("source/till", b'{"v":2}'),
        ("plan/till/x", b"{}"),
        ("else", b"{}"),
        ("", None),
    ],
)
def test_what_cannot_be_read_changes_nothing(key: str, value: bytes | None) -> None:
    found = doors(source(), compiled=lambda _: NoRules())
    with pytest.raises(ValueError):
        found.apply(key, value)
    assert status(found, "the-key-of-the-till") == 200


# --- terms


def test_a_source_asserts_what_its_terms_say_and_a_change_holds() -> None:
    found = doors(source(namespaces=["user_id"], trusted=True))
    policy = found.by_key("the-key-of-the-till").desk.policy
    assert (policy.allows("user_id"), policy.allows("email"), policy.trusted) == (True, False, True)
    found.apply(*record(source(namespaces="all")))
    policy = found.by_key("the-key-of-the-till").desk.policy
    assert (policy.allows("email"), policy.trusted) == (True, False)


def test_a_desk_keeps_what_it_remembers_where_only_limits_or_keys_change() -> None:
    found = doors(source())
    before = found.by_key("the-key-of-the-till")
    found.apply(*record(source(rate=5)))
    after = found.by_key("the-key-of-the-till")
    assert after.desk.who is before.desk.who
    assert after.limits is before.limits
    found.apply(*record(source(channel="offline")))
    assert found.by_key("the-key-of-the-till").desk.channel == "offline"


ORIGINS = ["https://shop.example", "https://*.shop.example", "http://localhost:8000"]


@pytest.mark.parametrize(
    ("origin", "admitted"),
    [
        ("https://shop.example", True),
        ("https://www.shop.example", True),
        ("https://a.b.shop.example", True),
        ("http://localhost:8000", True),
        ("http://shop.example", False),
        ("https://shop.example:8443", False),
        ("https://evilshop.example", False),
        ("https://shop.example.evil.example", False),
        ("https://shopXexample", False),
        ("https://evil.example/.shop.example", False),
        ("https://evil.example\n.shop.example", False),
        ("https://shop.example\n", False),
        ("http://localhost", False),
        ("null", False),
        ("", False),
    ],
)
def test_origins_are_matched_whole(origin: str, admitted: bool) -> None:
    found = doors(source(origins=ORIGINS))
    assert found.by_key("the-key-of-the-till").admits(origin) is admitted
    assert found.allows_origin(origin) is admitted


def test_a_preflight_is_told_of_any_enabled_source_as_they_are_now() -> None:
    found = doors(source(origins=["https://a.example"]))
    assert not found.allows_origin("https://b.example")
    found.apply(*record(source("b", "another-key", origins=["https://b.example"])))
    assert found.allows_origin("https://b.example")
    found.apply(*record(source("b", "another-key", origins=["https://b.example"], enabled=False)))
    assert not found.allows_origin("https://b.example")
    found.apply(*record(source("c", "a-third-key")))
    assert found.allows_origin("https://anything.example")


# --- what hangs on a source


class NoRules:
    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    def check(self, *_: Any) -> tuple[tuple[str, ...], bool]:
        return (), False


def plan(found: Doors) -> Plan | None:
    return found.by_key("the-key-of-the-till").desk.plan


def test_the_greatest_version_of_a_plan_holds_whichever_came_first() -> None:
    found = doors(compiled=NoRules)
    found.apply("plan/till/10", b"ten")
    found.apply(*record(source()))
    found.apply("plan/till/9", b"nine")
    found.apply("plan/other/11", b"another's")
    current = plan(found)
    assert isinstance(current, NoRules)
    assert current.content == b"ten"
    found.apply("plan/till/9", None)
    assert plan(found) is current
    found.apply("plan/till/10", None)
    assert plan(found) is None


def test_a_plan_that_cannot_be_compiled_leaves_the_one_before() -> None:
    def compiled(value: bytes) -> Plan:
        if value == b"bad":
            raise ValueError
        return NoRules(value)

    found = doors(source(), compiled=compiled)
    found.apply("plan/till/1", b"good")
    with pytest.raises(ValueError):
        found.apply("plan/till/2", b"bad")
    assert plan(found) is not None


def test_a_source_is_enriched_as_its_record_says() -> None:
    found = doors(
        source(), enrich=lambda each: None if each.enrichment.ip == "drop" else lambda c, _: (c, False)
    )
    assert found.by_key("the-key-of-the-till").desk.enrich is not None
    found.apply(*record(source(enrichment={"ip": "drop"})))
    assert found.by_key("the-key-of-the-till").desk.enrich is None
