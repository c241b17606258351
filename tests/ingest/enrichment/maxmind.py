"""A synthetic MaxMind file: networks reserved for documentation, said to be in real places."""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

LONDON: dict[str, object] = {
    "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
    "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
    "city": {"names": {"en": "London", "de": "London"}},
}
LYON: dict[str, object] = {
    "country": {"iso_code": "FR"},
    "subdivisions": [{"iso_code": "ARA"}],
    "city": {"names": {"de": "Lyon"}},
}
SINGAPORE = {"country": {"iso_code": "SG"}}


def write(path: Path, *, here: dict[str, object] = LONDON, ipv6: bool = True) -> Path:
    """A file of cities in which 203.0.113.0/24 is in a place of choice."""
    writer = MMDBWriter(6 if ipv6 else 4, ipv4_compatible=ipv6, database_type="Synthetic-City")
    writer.insert_network(IPSet(["203.0.113.0/24"]), here)
    writer.insert_network(IPSet(["198.51.100.0/24"]), LYON)
    if ipv6:
        writer.insert_network(IPSet(["2001:db8::/32"]), SINGAPORE)
    written = path.with_suffix(".new")
    writer.to_db_file(str(written))
    return written.replace(path)
