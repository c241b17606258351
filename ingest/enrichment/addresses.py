"""`context.ip`: what of a browser's or app's address is kept. Pure."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from ingest.shapes import Fields

LONGEST = 64
"""Characters of an address that are read."""
REMEMBERED = 16_384
MASKS = {4: 0xFFFFFF00, 6: 0xFFFFFFFFFFFF << 80}
"""By version: /24 and /48."""


def truncate(context: Fields, _: str, ip: str) -> None:
    """Keep the network alone: /24 of IPv4, /48 of IPv6. What is no address could hide one, and goes."""
    if ip and (known := network(ip)):
        context["ip"] = known
    elif context.get("ip"):
        del context["ip"]


def keep(context: Fields, _: str, ip: str) -> None:
    """Keep the address that is stated, else the one that the request came from."""
    if ip and not context.get("ip"):
        context["ip"] = ip


def drop(context: Fields, _: str, __: str) -> None:
    """Keep no address."""
    context.pop("ip", None)


STEPS = {"truncate": truncate, "keep": keep, "drop": drop}


@lru_cache(maxsize=REMEMBERED)
def network(ip: str) -> str:
    """The first address of the network that an address is in; empty where it is none."""
    found = parse(ip)
    return "" if found is None else str(type(found)(int(found) & MASKS[found.version]))


@lru_cache(maxsize=64)  # the network and the location of an address are asked for one after the other
def parse(ip: str) -> IPv4Address | IPv6Address | None:
    """An address, also with a port, and the first of a list of them; None where there is none.

    One of IPv4 that is written as IPv6 is that of IPv4.
    """
    first = ip.partition(",")[0].strip()
    if first.startswith("["):
        first = first[1:].partition("]")[0]
    elif first.count(":") == 1:
        first = first.partition(":")[0]
    try:
        found = ip_address(first.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found.sixtofour or found
    return found
