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
MAX_HOST = 300
REMEMBERED = 8_192
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
    medium = _medium(campaign) if campaign else ""
    if type(url) is str and url:
        kind, domain = _of(_authority(url), _authority(page.get("url")), medium)
        found = {"url": url[:LONGEST], "class": kind}
        if domain:
            found["domain"] = domain
    elif medium or "referrer" in page:
        found = {"class": medium or "direct"}
    else:
        return
    context["referrer"] = {**found, **stated} if stated else found


def _medium(campaign: Any) -> str:
    medium = campaign.get("medium") if type(campaign) is dict else None
    return "email" if type(medium) is str and medium.lower() in MAIL else "campaign"


def _authority(url: Any) -> str:
    """What stands between `//` and the next `/`; empty where it does not."""
    parts = url[:LONGEST].split("/", 3) if type(url) is str else ()
    return parts[2][:MAX_HOST] if len(parts) > 2 and not parts[1] else ""


@lru_cache(maxsize=REMEMBERED)
def _of(there: str, here: str, medium: str) -> tuple[str, str]:
    """The class and the domain of a referrer, by what both URLs have as their authority."""
    domain = host(there)
    if domain and _same(domain, host(here)):
        return "internal", domain
    known = site(domain)
    return known if known == "email" else medium or known, domain


def _same(one: str, other: str) -> bool:
    """Whether two domains are one site: the same, or one within the other."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def host(authority: str) -> str:
    """The domain of a URL's authority without `www.`; empty where it has none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return ""


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
