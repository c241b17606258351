"""Changes of a page or an Instagram account: comments, reactions, posts, mentions, reviews and lead forms. Pure.

Format: developers.facebook.com, "Graph API, webhooks reference: page, instagram".
"""

from typing import Any

from ingest.adapters.meta_told import Told, by, fields, given, id_of, name_of, whole
from ingest.shapes import Fields

POST = "Post"
ITEMS = {
    "comment": "Comment", "reaction": "Reaction", "like": "Reaction", "rating": "Review", "share": "Share",
    "post": POST, "status": POST, "photo": POST, "video": POST, "link": POST, "album": POST, "note": POST,
    "event": POST, "story": POST,
}  # fmt: skip
VERBS = {
    "add": "Added", "edit": "Edited", "edited": "Edited", "update": "Edited", "remove": "Removed", "delete": "Removed",
    "hide": "Hidden", "unhide": "Shown",
}  # fmt: skip
MODERATED = frozenset(("hide", "unhide", "block", "unblock", "mute"))
"""What the page does to what somebody else wrote."""
EDITED = frozenset(("edit", "edited", "update"))
"""`created_time` of what is edited is when it was written."""
PEOPLE = ("from", "sender_id", "reviewer_id", "user_id", "sender")
"""Where a person's id is, page-scoped or Instagram-scoped in all of them."""
ENVELOPE = frozenset(
    (*PEOPLE, "sender_name", "reviewer_name", "recipient", "recipient_id", "created_time", "media", "field")
)
OURS = {"message": "text", "review_text": "text", "reaction_type": "reaction", "leadgen_id": "lead_id"}
NOUNS = {"comments": "Comment", "live_comments": "Comment", "mention": "Mention", "mentions": "Mention"}
"""Of fields that are about one kind of thing; Instagram's say neither item nor verb."""


def changed(change: Fields, network: str, account: str, at: Any) -> Told:
    """What one change tells; `at` is the time of its entry."""
    field, value = change.get("field"), change.get("value")
    name = field if isinstance(field, str) else "update"
    if not isinstance(value, dict):
        said = given({"field": name, "value": value})
        return Told(f"{name_of(network)} {name}", None, at, said, ("changes", whole(change), whole(at)))
    if name == "leadgen":
        return _lead(value)
    return posted(value, name, network, account, at)


def posted(value: Fields, field: str, network: str, account: str, at: Any) -> Told:
    """What somebody, or the account itself, wrote or did in public."""
    item, verb = (each if isinstance(each, str) else "" for each in (value.get("item"), value.get("verb")))
    who = next((found for found in (id_of(value.get(place)) for place in PEOPLE) if found), None)
    created = value.get("created_time") or value.get("timestamp")
    time = at or created if verb in EDITED else created or at
    told = Told(
        _name(item, verb, field, network), who, time, _said(value, field), ("changes", field, whole(value))
    )
    return by(account if verb in MODERATED else who, account, told)


def _name(item: str, verb: str, field: str, network: str) -> str:
    noun, done = NOUNS.get(field) or ITEMS.get(item), VERBS.get(verb or "add")
    if noun and done:
        return f"{noun} {done}"
    return " ".join((name_of(network), field, *(part for part in (item, verb) if part)))


def _said(value: Fields, field: str) -> Fields:
    said = {OURS.get(name, name): each for name, each in value.items() if name not in ENVELOPE}
    author, media = fields(value.get("from")), fields(value.get("media"))
    names = (author.get("name"), author.get("username"), value.get("sender_name"), value.get("reviewer_name"))
    said["author"] = next((name for name in names if name), None)
    said["media_id"] = media.get("id") or said.get("media_id")
    said["media_type"] = media.get("media_product_type")
    if NOUNS.get(field) == "Comment":  # Instagram's
        said["comment_id"] = said.pop("id", None)
    if value.get("item") == "like":
        said["reaction"] = "like"
    return given(said)


def _lead(value: Fields) -> Told:
    """Somebody filled a form: Meta says which and by what ad, not who nor what was written. A visitor, for now."""
    lead = id_of(value.get("leadgen_id"))
    said = _said(value, "leadgen")
    return Told(
        "Lead Submitted",
        None,
        value.get("created_time"),
        said,
        ("leadgen", whole(value)),
        lead and f"facebook-lead-{lead}",
    )
