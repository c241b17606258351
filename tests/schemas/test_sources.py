from pathlib import Path

import pytest

from schemas import sources
from schemas.errors import ConfigError
from schemas.event import Channel

ONE = "{name: web, write_key: 12345678abc, channel: web}"
SECOND = "{name: app, write_key: 87654321abc, channel: mobile}"


def loaded(tmp_path: Path, *lines: str) -> sources.Sources:
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n" + "".join(f"  - {line}\n" for line in lines))
    return sources.load(path)


def test_the_local_preset_has_a_trusted_source_for_each_room_and_a_browser_that_is_not() -> None:
    preset = {source.name: source for source in sources.load(None).sources}
    assert not preset["web"].trusted
    assert preset["web"].namespaces != "all"
    assert preset["shop"].trusted
    assert preset["shop"].channel is Channel.ECOMMERCE


def test_a_source_is_enabled_untrusted_and_unlimited_unless_it_says_otherwise(tmp_path: Path) -> None:
    (source,) = loaded(tmp_path, ONE).sources
    assert (source.enabled, source.trusted, source.namespaces, source.phone_region) == (
        True,
        False,
        "all",
        None,
    )


def test_a_region_that_yaml_would_take_for_false_is_a_region(tmp_path: Path) -> None:
    assert loaded(tmp_path, ONE.replace("}", ", phone_region: NO}")).sources[0].phone_region == "NO"


def test_origins_are_as_browsers_write_them(tmp_path: Path) -> None:
    given = "https://a.example:443, http://*.a.example:80, https://a.example:80, http://localhost:8000"
    (source,) = loaded(tmp_path, ONE.replace("}", f", origins: [{given}]}}")).sources
    assert source.origins == (
        "https://a.example",
        "http://*.a.example",
        "https://a.example:80",
        "http://localhost:8000",
    )


def test_a_key_has_one_digest_under_one_secret_and_another_under_another() -> None:
    digest = sources.key_digest("s" * 32, "a-write-key")
    assert digest == sources.key_digest("s" * 32, "a-write-key") == "aaedc8c6a0216fdc2bdf5259fe8dae7f"
    assert digest != sources.key_digest("t" * 32, "a-write-key")


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        (1_798_761_599_000, "UTC", "2026-12-31"),
        (1_798_761_600_000, "UTC", "2027-01-01"),
        (1_798_732_800_000, "Asia/Shanghai", "2027-01-01"),
        (1_798_761_600_000, "America/New_York", "2026-12-31"),
    ],
)
def test_a_day_is_the_deployments(at: int, zone: str, day: str) -> None:
    assert sources.day_of(at, zone) == day


def test_a_write_key_is_never_shown(tmp_path: Path) -> None:
    assert "12345678abc" not in repr(loaded(tmp_path, ONE))
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, ONE, SECOND.replace("87654321abc", "12345678abc"))
    assert "12345678abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ([ONE.replace("12345678abc", "short")], "sources.0: write_key needs 8 to 200 printable characters"),
        ([ONE.replace("12345678abc", "'with a space'")], "sources.0: write_key needs"),
        ([ONE.replace("12345678abc", "12345678")], "sources.0.write_key: must be a text"),
        ([ONE, SECOND.replace("app", "web")], "named twice: web"),
        ([ONE, SECOND.replace("87654321abc", "12345678abc")], "two sources share a write key"),
        ([ONE.replace("channel: web", "channel: fax")], "sources.0.channel: must be 'social'"),
        ([ONE, SECOND.replace("app", "An App")], "sources.1.name: must be a name"),
        ([ONE.replace("}", ", phone_region: XX}")], "sources.0.phone_region: no region 'XX'"),
        ([ONE.replace("}", ", phone_region: china}")], "sources.0.phone_region: must be a country"),
        ([ONE.replace("}", ", colour: red}")], "sources.0.colour: there is no such field"),
        ([ONE.replace("}", ", trusted: perhaps}")], "sources.0.trusted: must be true or false"),
        (
            [ONE.replace("}", ", origins: [shop.example]}")],
            "sources.0.origins.0: must be an origin in small letters",
        ),
        (["{}"], "sources.0.name: is missing"),
        ([], "sources: must be a list"),
        (["&a " + ONE, "*a"], "aliases and tags are not taken"),
    ],
)
def test_a_bad_file_names_file_and_place(tmp_path: Path, lines: list[str], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, *lines)
    assert place in caught.value.what
    assert "sources.yaml" in caught.value.where
