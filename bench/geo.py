"""A synthetic MaxMind file in which each /24 of 203.0.0.0/16 is a city of its own, as large ones have them."""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet


def synthetic_geo(path: Path) -> Path:
    """Write the file; gives its path."""
    writer = MMDBWriter(6, ipv4_compatible=True, database_type="Synthetic-City")
    for number in range(256):
        place = {
            "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
            "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
            "city": {"names": {"en": f"Town {number}"}},
        }
        writer.insert_network(IPSet([f"203.0.{number}.0/24"]), place)
    writer.to_db_file(str(path))
    return path
