"""`context.referrer`: the page that led here, its domain, and what kind of page it is. Pure.

    class: internal | email | campaign | search | social | other | direct, the first that holds

`sites` knows which domains are which.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ingest.enrichment.sites import COUNTRIES, PARTS, SITES
from ingest.shapes import Fields

EMPTY: Fields = {}
LONGEST = 2_048
"""Characters of a URL that are read and kept here."""
REMEMBERED = 4_096
MAIL = frozenset(("email", "e-mail", "mail", "newsletter"))
"""Campaigns' media that are mail."""


def add(context: Fields, _: str, __: str) -> None:
    """Add what is known of the referrer to `context.referrer`; fields that the sender states there are left."""
    page, stated = context.get("page"), context.get("referrer")
    page = page if type(page) is dict else EMPTY
    if stated is None:
        stated = EMPTY
    elif type(stated) is not dict or "class" in stated:
        return
    url = stated.get("url") or page.get("referrer")
    campaign = context.get("campaign")
    medium = _medium(campaign) if campaign else None
    if type(url) is str and url:
        url = url[:LONGEST]
        domain = host(url)
        found = {"url": url, "class": _class(domain, page.get("url"), medium)}
        if domain:
            found["domain"] = domain
        context["referrer"] = {**found, **stated}
    elif medium is not None or "referrer" in page:
        context["referrer"] = {"class": medium or "direct", **stated}


def _class(domain: str, here: Any, medium: str | None) -> str:
    if type(here) is str and domain and _same(domain, host(here[:LONGEST])):
        return "internal"
    known = site(domain)
    return known if known == "email" else medium or known


def _medium(campaign: Any) -> str:
    medium = campaign.get("medium") if type(campaign) is dict else None
    return "email" if type(medium) is str and medium.lower() in MAIL else "campaign"


def _same(one: str, other: str) -> bool:
    """Whether two domains are one site: the same, or one within the other."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


@lru_cache(maxsize=REMEMBERED)
def host(url: str) -> str:
    """The host of a URL without `www.`; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return ""


@lru_cache(maxsize=REMEMBERED)
def site(domain: str) -> str:
    """The class of a domain: that of the longest of its ends that is known, else `other`."""
    labels = domain.split(".")
    for start in range(len(labels)):
        if known := SITES.get(".".join(labels[start:])):
            return known
    if labels[0] in PARTS:
        del labels[0]
    of_country = len(labels) == 2 or (len(labels) == 3 and len(labels[1]) <= 3)
    return COUNTRIES.get(labels[0], "other") if of_country else "other"
