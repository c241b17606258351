"""Meta's webhooks: what is genuine, and what becomes of each kind of notification."""

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accept import Accepted, accept
from ingest.adapters.adapter import Hook, NotGenuine, Taken
from ingest.adapters.meta import take
from ingest.adapters.registry import ADAPTERS
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from schemas.event import Event
from schemas.rejected import Reason
from schemas.semantics import NOT_OWN, REGISTRY
from tests.ingest.adapters.anything import json, somewhere
from tests.ingest.desks import ANY, KEYS, NOW

PAYLOADS = Path(__file__).parent / "payloads" / "meta"
SECRETS = {"app_secret": "an-app-secret", "verify_token": "meatyhamhock"}
PAGE = "facebook_psid/1067280970047460"
INSTAGRAM = "instagram_id/17841474524784050"
PAGE_ITSELF = {"brand_account/facebook": ["1067280970047460"]}
SALLY = {PAGE: ["1606248669489012"]}
HER_ACCOUNT = {INSTAGRAM: ["1606248669489099"]}


def signature(body: bytes, secret: str = SECRETS["app_secret"]) -> bytes:
    return b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def post(body: bytes, signed: bytes | None = None) -> Taken:
    header = signature(body) if signed is None else signed
    return take(Hook("POST", {}, {b"x-hub-signature-256": header}, body, NOW), SECRETS, {})


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def accepted(sent: Any) -> Accepted:
    body = sent if isinstance(sent, bytes) else orjson.dumps(sent)
    return accept(post(body).messages, ANY, Arrival(NOW, "request"))


def events(name: str) -> list[Event]:
    result = accepted(payload(name))
    assert not result.refused, result.refused
    return [Event.model_validate_json(value) for _, value in result.events]


def event(name: str) -> Event:
    (one,) = events(name)
    return one


def change(field: str, value: Any, account: Any = "1", time: int = 1520544816) -> list[Event]:
    sent = {
        "object": "page",
        "entry": [{"id": account, "time": time, "changes": [{"field": field, "value": value}]}],
    }
    return [Event.model_validate_json(value) for _, value in accepted(sent).events]


def test_a_signature_as_openssl_makes_it_over_the_escaped_body() -> None:
    """printf '%s' "$BODY" | openssl dgst -sha256 -hmac an-app-secret"""
    body = rb'{"object":"page","entry":[{"id":"1","time":1,"changed_fields":["\u00e4\u00f6\u00e5"]}]}'
    wanted = b"sha256=fd5239a1910f3a438c63700515a60ceca57cda2bd3ddfcbae883fbe7f5b4a3fa"
    (message,), reply = post(body, wanted)
    assert message["event"] == "Facebook äöå"
    assert (reply.status, reply.body) == (200, b"")
    with pytest.raises(NotGenuine):
        post(orjson.dumps(orjson.loads(body)), wanted)


@pytest.mark.parametrize(
    "signed",
    [
        b"",
        b"sha256=",
        signature(b'{"entry":[] }'),
        signature(b'{"entry":[]}', "another"),
        signature(b'{"entry":[]}')[7:],
        signature(b'{"entry":[]}')[:-1],
        b"sha1=" + hmac.new(b"an-app-secret", b'{"entry":[]}', hashlib.sha1).hexdigest().encode(),
        b"\xff\x00",
    ],
)
def test_what_is_signed_otherwise_is_not_genuine(signed: bytes) -> None:
    assert post(b'{"entry":[]}').messages == []
    with pytest.raises(NotGenuine):
        post(b'{"entry":[]}', signed)


def test_the_challenge_is_answered_to_who_knows_the_token() -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meatyhamhock"}
    result = take(Hook("GET", asked, {}, b"", NOW), SECRETS, {})
    assert (result.messages, result.reply.body, result.reply.status) == ([], b"1158201444", 200)
    assert result.reply.content_type.startswith("text/plain")
    others: tuple[dict[str, str], ...] = (
        {},
        asked | {"hub.verify_token": "x"},
        asked | {"hub.mode": "unsubscribe"},
        asked | {"hub.verify_token": "é\ud800"},
    )
    for other in others:
        with pytest.raises(NotGenuine):
            take(Hook("GET", other, {}, b"", NOW), SECRETS, {})


@pytest.mark.parametrize(
    ("name", "event_name", "who", "said"),
    [
        ("page_comment", "Comment Added", SALLY, {"text": "Is it älter?", "author": "Sally Example", "verb": "add",
         "comment_id": "1072480719527485_1072511902857700", "post_id": "1067280970047460_1072480719527485"}),
        ("page_reaction", "Reaction Added", SALLY, {"reaction": "love"}),
        ("page_like_2016", "Reaction Added", {"facebook_psid/1142469655832956": ["1186329501459477"]},
         {"reaction": "like"}),
        ("page_post_of_its_own", "Account Acted", PAGE_ITSELF,
         {"action": "Post Added", "text": "New opening hours"}),
        ("page_mention", "Mention Added", SALLY, {"text": "Been at A Page", "author": "Sally Example"}),
        ("page_rating", "Review Added", SALLY, {"recommendation_type": "POSITIVE", "text": "Very kind"}),
        ("page_group_feed", "Comment Added", SALLY, {"group_id": "1234", "text": "Is it new?"}),
        ("page_message", "Message Received", SALLY, {"text": "hello, world!", "kind": "text",
         "quick_reply": "DEVELOPER_DEFINED_PAYLOAD", "message_id": "mid.1457764197618:41d102a3e1ae206a38"}),
        ("page_attachment", "Message Received", SALLY, {"kind": "image", "attachments": ["image"],
         "reply_to": "m_1457764197618:41d102a3e1ae206a38"}),
        ("page_echo", "Message Sent", SALLY, {"app_id": 1517776481860111, "kind": "template"}),
        ("instagram_comment", "Comment Added", HER_ACCOUNT, {"text": "lovely", "media_id": "18172143295349192",
         "media_type": "FEED", "author": "sally.example", "comment_id": "17919697626119712"}),
        ("instagram_comment_as_documented", "Comment Added", HER_ACCOUNT, {"text": "lovely"}),
        ("instagram_mention", "Mention Added", {"brand_account/instagram": ["17841405726653026"]},
         {"media_id": "17918195224117851", "comment_id": "17894227972186120"}),
        ("instagram_story_insights", "Instagram story_insights",
         {"brand_account/instagram": ["17841405309211844"]}, {"reach": 17, "exits": 1, "replies": 0}),
        ("instagram_test_button", "Message Received", {INSTAGRAM: ["12334"]}, {"text": "random_text"}),
    ],
)  # fmt: skip
def test_one_of_each_kind(
    name: str, event_name: str, who: dict[str, list[str]], said: dict[str, Any]
) -> None:
    made = event(name)
    assert (made.name, made.identifiers) == (event_name, who)
    network = "instagram" if name.startswith("instagram") else "facebook"
    ((namespace, (of, *_)),) = who.items()
    account = of if namespace.startswith("brand_account/") else namespace.partition("/")[2]
    assert said | {"network": network, "account": account} == {
        key: made.properties.get(key) for key in (*said, "network", "account")
    }
    sent = orjson.loads(payload(name))
    sent = sent[0] if isinstance(sent, list) else sent
    if "as_documented" not in name:
        assert made.context["original"] == sent


def test_what_the_brand_does_or_a_receipt_says_is_not_the_customers_doing() -> None:
    names = [made.name for made in events("page_receipts")] + [
        event("page_echo").name,
        event("page_post_of_its_own").name,
    ]
    assert names == ["Message Delivered", "Message Read", "Message Sent", "Account Acted"]
    assert set(names) <= NOT_OWN
    assert all(made.identifiers == SALLY for made in events("page_receipts"))
    (hidden,) = change("feed", {"item": "comment", "verb": "hide", "from": {"id": "77"}, "comment_id": "c"})
    assert (hidden.name, hidden.properties["action"]) == ("Account Acted", "Comment Hidden")
    assert hidden.identifiers == {"facebook_psid/1": ["77"]}


def test_a_conversation() -> None:
    made = events("page_conversation")
    assert [one.name for one in made] == [
        "Button Clicked", "Conversation Opened", "Reaction Added", "Reaction Removed", "Message Edited", "Opted In",
        "Unsubscribed", "Account Linked", "Account Acted", "Facebook response_feedback",
    ]  # fmt: skip
    assert all(one.identifiers == SALLY for one in made)
    clicked, opened, reacted, *_ = (one.properties for one in made)
    assert (clicked["payload"], clicked["ref"]) == ("USER-DEFINED-PAYLOAD", "USER-DEFINED-REFERRAL-PARAM")
    assert (opened["ad_id"], opened["referral_source"]) == ("6045246247433", "ADS")
    assert (reacted["reaction"], reacted["emoji"]) == ("love", "\u2764\ufe0f")
    assert made[8].properties["action"] == "Facebook pass_thread_control"
    said = orjson.dumps([one.properties for one in made])
    assert b"TOKEN" not in said, "by which whoever has it may write to the customer"
    assert b"AUTHORIZATION_CODE" not in said


def test_instagram_messages() -> None:
    replied, deleted, sent, read = events("instagram_messages")
    assert [one.name for one in (replied, deleted, sent, read)] == [
        "Message Received", "Message Deleted", "Message Sent", "Message Read",
    ]  # fmt: skip
    assert replied.identifiers == deleted.identifiers == sent.identifiers == read.identifiers == HER_ACCOUNT
    assert replied.properties["story_id"] == "17999999999"
    assert replied.message_id != deleted.message_id
    assert replied.occurred_at == 1569262485349


def test_a_lead_is_a_visitor_until_somebody_says_who() -> None:
    first, second = events("page_leadgen")
    assert first.name == "Lead Submitted"
    assert first.identifiers == {"anonymous_id": ["facebook-lead-123123123123"]}
    assert second.identifiers == {"anonymous_id": ["facebook-lead-123123123124"]}
    assert first.properties["lead_id"] == 123123123123
    assert first.properties["form_id"] == 12312312312
    assert (first.properties["account"], first.occurred_at) == ("153125381133", 1440120384000)


def test_several_entries_and_changes() -> None:
    made = events("several")
    assert [(one.name, one.identifiers) for one in made] == [
        ("Facebook picture", {"brand_account/facebook": ["1"]}),
        ("Comment Removed", {"facebook_psid/1": ["77"]}),
        ("Facebook feed", {"brand_account/facebook": ["2"]}),
        ("Facebook picture", {"brand_account/facebook": ["2"]}),
        ("Facebook update", {"brand_account/facebook": ["3"]}),
    ]
    assert made[0].properties["value"] == "https://scontent.example/p.jpg"
    assert len({one.message_id for one in made}) == 5
    sent = orjson.loads(payload("several"))["entry"][0]
    assert made[1].context["original"] == {
        "object": "page",
        "entry": [{**sent, "changes": [sent["changes"][1]]}],
    }


@pytest.mark.parametrize(
    "nothing", [{}, {"changes": []}, {"messaging": {}}, {"changed_fields": 7}, {"hop_context": [1]}]
)
def test_an_entry_with_nothing_in_it_that_we_know_is_kept(nothing: dict[str, Any]) -> None:
    sent = {"object": "instagram", "entry": [{"id": "4", "time": 1520544816, **nothing}]}
    ((_, value),) = accepted(sent).events
    made = Event.model_validate_json(value)
    assert (made.name, made.identifiers) == ("Instagram update", {"brand_account/instagram": ["4"]})
    assert made.context["original"] == sent


def test_when_it_was() -> None:
    assert event("page_comment").occurred_at == 1520544814000, "when it was written, not when it was told"
    assert event("instagram_comment").occurred_at == 1755779280000, "Instagram says no more"
    assert event("instagram_test_button").occurred_at == 1527459824000
    assert events("page_receipts")[0].occurred_at == 1458668856253, "what was delivered was so by then"
    (edited,) = change(
        "feed", {"item": "comment", "verb": "edited", "from": {"id": "77"}, "created_time": 1510000000}
    )
    assert (edited.name, edited.occurred_at) == ("Comment Edited", 1520544816000)


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_what_is_sent_again_is_known_again(path: Path) -> None:
    sent = orjson.loads(path.read_bytes())
    first, again = ([m["messageId"] for m in post(orjson.dumps(sent)).messages] for _ in range(2))
    assert first == again
    assert len(set(first)) == len(first)
    told_later = path.read_bytes().replace(b'"time": 1', b'"time": 2')
    if path.stem != "several":  # names of fields only: nothing but the time tells two changes apart
        assert [m["messageId"] for m in post(told_later).messages] == first


def test_what_differs_is_told_apart() -> None:
    written = {"item": "comment", "verb": "edited", "from": {"id": "77"}, "comment_id": "c", "message": "a"}
    (first,), (other,) = change("feed", written), change("feed", written | {"message": "b"})
    (elsewhere,) = change("feed", written, account="2")
    assert len({first.message_id, other.message_id, elsewhere.message_id}) == 3


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("feed", {"item": "comment", "verb": "follow", "from": {"id": "7"}}, "Facebook feed comment follow"),
        ("feed", {"item": "milestone", "verb": "add"}, "Facebook feed milestone add"),
        ("feed", {"item": "photo", "verb": "update", "from": {"id": "7"}}, "Post Edited"),
        ("feed", {"item": "share", "verb": "add", "from": {"id": "7"}}, "Share Added"),
        ("mention", {"item": "post", "verb": "remove", "sender_id": "7"}, "Mention Removed"),
        ("live_videos", {"id": "4444", "status": "live"}, "Facebook live_videos"),
        ("x" * 500, {}, f"Facebook {'x' * 191}"),
        (None, None, "Facebook update"),
    ],
)
def test_whatever_it_is_it_has_a_name(field: Any, value: Any, name: str) -> None:
    (made,) = change(field, value)
    assert made.name == name
    assert name.startswith("Facebook") == (
        made.name not in REGISTRY and not name.endswith(("Added", "Edited", "Removed"))
    )


def test_what_names_nobody_is_no_persons_whoever_else_writes_there() -> None:
    """A comment without `from`, as the app lacks a permission; and one of the page on its own wall."""
    (unnamed,) = change("feed", {"item": "comment", "verb": "add", "comment_id": "c"})
    (own,) = change("feed", {"item": "comment", "verb": "add", "comment_id": "d", "from": {"id": "1"}})
    assert unnamed.identifiers == own.identifiers == {"brand_account/facebook": ["1"]}
    assert (unnamed.name, own.name) == ("Comment Added", "Account Acted")
    rule = KEYS.rule("brand_account")
    assert rule is not None
    assert (rule.personal, rule.shared) == (False, True)


def test_other_objects_are_about_nobody_that_we_know_and_kept_with_the_rejected() -> None:
    sent = {
        "object": "permissions",
        "entry": [{"id": "1", "time": 1, "changes": [{"field": "connected", "value": {}}]}],
    }
    result = accepted(sent)
    assert [r.rejection.reason for r in result.refused] == [Reason.NO_IDENTIFIER]
    assert orjson.loads(result.refused[0].rejection.original)["context"]["original"] == sent


def test_what_is_none_is_refused_without_harm_to_the_others() -> None:
    good = orjson.loads(payload("page_comment"))["entry"]
    result = accepted({"object": "page", "entry": [7, None, {"id": None}, *good]})
    assert len(result.events) == 1
    reasons = [r.rejection.reason for r in result.refused]
    assert reasons == [Reason.INVALID, Reason.INVALID, Reason.NO_IDENTIFIER]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"7", b"{}", b'"x"', b"null", b"[7]", b'{"entry":{}}', b"[" * 100_000, b"\xff"]
)
def test_a_body_that_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        post(body)


def test_a_long_message_is_taken_and_one_over_the_limit_is_refused() -> None:
    sent = orjson.loads(payload("page_message"))
    (item,) = sent["entry"][0]["messaging"]
    at = replace(ANY, most=256 * 1024)
    for size, events, refused in ((200_000, 1, []), (300_000, 0, [Reason.TOO_LARGE])):
        item["message"]["text"] = "é" * (size // 2)
        result = accept(post(orjson.dumps(sent)).messages, at, Arrival(NOW, "request"))
        assert (len(result.events), [r.rejection.reason for r in result.refused]) == (events, refused)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(sorted(PAYLOADS.glob("*.json"))), json)
def test_any_json_anywhere_is_accepted_or_refused(data: st.DataObject, path: Path, value: Any) -> None:
    body = orjson.dumps(somewhere(data, orjson.loads(path.read_bytes()), value))
    try:
        messages = post(body).messages
    except Refusal:
        return
    result = accept(messages, ANY, Arrival(NOW, "request"))
    assert len(result.events) + len(result.refused) == len(messages)


def test_it_is_registered() -> None:
    assert ADAPTERS["meta"].take is take
