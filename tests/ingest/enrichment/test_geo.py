"""Where an address is."""

from pathlib import Path
from typing import Any

import pytest

from ingest.enrichment.geo import Geo
from schemas.errors import ConfigError
from schemas.sources import Enrichment
from tests.ingest.enrichment.contexts import enriched
from tests.ingest.enrichment.maxmind import LYON, write

HERE = "203.0.113.77"
LONDON = {"country": "GB", "region": "England", "city": "London"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb")


def test_an_address_has_a_location_and_is_not_kept_whole(file: Path) -> None:
    assert enriched({}, ip=HERE, geo=Geo(file)) == {"ip": "203.0.113.0", "location": LONDON}
    stated = enriched({"ip": HERE}, channel="ecommerce", geo=Geo(file))
    assert stated == {"ip": "203.0.113.0", "location": LONDON}


def test_also_where_the_address_itself_is_dropped(file: Path) -> None:
    assert enriched({}, Enrichment(ip="drop"), ip=HERE, geo=Geo(file)) == {"location": LONDON}


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("198.51.100.1", {"country": "FR", "region": "ARA"}),
        ("2001:db8::1", {"country": "SG"}),
        ("::ffff:203.0.113.77", LONDON),
        ("192.0.2.1", {}),
        ("no address", {}),
    ],
)
def test_what_the_file_does_not_know_is_left_out(file: Path, ip: str, expected: dict[str, Any]) -> None:
    assert Geo(file).location(ip) == expected


def test_a_file_of_ipv4_knows_no_ipv6(tmp_path: Path) -> None:
    geo = Geo(write(tmp_path / "four.mmdb", ipv6=False))
    assert (geo.location("2001:db8::1"), geo.location(HERE)) == ({}, LONDON)


def test_a_location_that_the_sender_states_stays(file: Path) -> None:
    stated = {"ip": HERE, "location": {"city": "Ghent"}}
    assert enriched(stated, geo=Geo(file))["location"] == {"city": "Ghent"}


def test_none_where_it_is_switched_off(file: Path) -> None:
    assert "location" not in enriched({"ip": HERE}, Enrichment(geo=False), geo=Geo(file))


def test_another_file_holds_once_it_is_looked_at(file: Path) -> None:
    geo = Geo(file)
    assert geo.location(HERE) == LONDON
    write(file, here=LYON)
    assert geo.location(HERE) == LONDON
    geo.look()
    assert geo.location(HERE) == {"country": "FR", "region": "ARA"}


def test_it_is_looked_at_each_minute(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("ingest.enrichment.geo.time.monotonic", lambda: now)
    geo = Geo(file)
    write(file, here=LYON)
    now += 59
    assert geo.location(HERE) == LONDON
    now += 1
    assert geo.location(HERE)["country"] == "FR"


def test_a_file_that_breaks_later_leaves_the_last_one_in_use(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geo = Geo(file)
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])  # in place, as an upload does that is cut off
    geo.look()
    assert geo.location(HERE) == LONDON
    file.unlink()
    geo.look()
    geo.look()
    assert geo.location(HERE) == LONDON
    file.write_bytes(good)
    geo.look()
    assert geo.location("198.51.100.1")["country"] == "FR"
    said = capsys.readouterr()
    assert (said.out + said.err).count("the last one stays in use") == 2


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_a_file_that_cannot_be_read_at_the_start_is_told_with_its_setting(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "city.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        Geo(path)
    assert "CDP_GEO" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CDP_GEO"):
        Geo(tmp_path)
