"""What of an address is kept."""

import pytest

from schemas.sources import Enrichment
from tests.ingest.enrichment.contexts import OFF, enriched

TRUNCATE = OFF.model_copy(update={"ip": "truncate"})
DROP = OFF.model_copy(update={"ip": "drop"})


@pytest.mark.parametrize(
    ("whole", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("203.0.113.77:51234", "203.0.113.0"),
        (" 203.0.113.77, 198.51.100.1", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2002:cb00:714d::1", "203.0.113.0"),
        ("0.0.0.0", "0.0.0.0"),  # what senders state who want none kept
    ],
)
def test_an_address_is_truncated_to_its_network_whoever_states_it(whole: str, kept: str) -> None:
    assert enriched({"ip": whole}, TRUNCATE, channel="ecommerce") == {"ip": kept}
    assert enriched({"ip": whole}, TRUNCATE, ip="192.0.2.9") == {"ip": kept}
    assert enriched({}, TRUNCATE, ip=whole) == {"ip": kept}


@pytest.mark.parametrize(
    "odd", ["unknown 203.0.113.77", "203.0.113.77/32", "x" * 5_000, 3405803853, ["203.0.113.77"]]
)
def test_what_is_no_address_could_hide_one_and_goes(odd: object) -> None:
    assert enriched({"ip": odd, "locale": "de"}, TRUNCATE, ip="192.0.2.9") == {"locale": "de"}


def test_truncating_is_what_happens_where_nothing_is_said() -> None:
    assert Enrichment().ip == "truncate"


def test_the_header_of_a_server_is_not_its_customers() -> None:
    assert enriched({}, TRUNCATE, channel="ecommerce", ip="192.0.2.9") == {}
    assert enriched({}, Enrichment(ip="keep"), channel="ecommerce", ip="192.0.2.9") == {}


def test_kept_whole_where_asked_for() -> None:
    assert enriched({}, OFF, ip="192.0.2.9") == {"ip": "192.0.2.9"}
    assert enriched({"ip": "203.0.113.77"}, OFF, ip="192.0.2.9") == {"ip": "203.0.113.77"}


def test_dropped_where_asked_for() -> None:
    assert enriched({"ip": "203.0.113.77"}, DROP, ip="192.0.2.9") == {}
