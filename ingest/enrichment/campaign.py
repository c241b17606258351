"""`context.campaign`: the utm parameters of the page's URL, in the fields that Segment gives them. Pure."""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from ingest.shapes import Fields

FIELDS = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
}
REMEMBERED = 2_048
LONGEST = 2_048
"""Characters of a URL that are read."""
MAX_VALUE = 200
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def add(context: Fields, _: str, __: str) -> None:
    """Add `context.campaign`; one that the sender states is left as it is."""
    page = context.get("page")
    if type(page) is not dict or context.get("campaign") is not None:
        return
    for place in ("url", "search"):
        url = page.get(place)
        if type(url) is str and "utm_" in url and (found := of(url[:LONGEST])):
            context["campaign"] = found
            return


@lru_cache(maxsize=REMEMBERED)
def of(url: str) -> Fields:
    """The campaign of a URL, or of a query with its question mark; empty where it names none."""
    found: Fields = {}
    query = url.partition("#")[0].partition("?")[2]
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        field = FIELDS.get(name)
        if (
            field
            and field not in found
            and (clean := CONTROL.sub("", unquote_plus(value))[:MAX_VALUE].strip())
        ):
            found[field] = clean
    return found
