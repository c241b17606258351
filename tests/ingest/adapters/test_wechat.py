import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.accept import accept
from ingest.adapters.adapter import Hook, NotGenuine, Taken, as_told
from ingest.adapters.registry import ADAPTERS
from ingest.adapters.secrets import Missing, Secrets
from ingest.adapters.wechat import ADAPTER
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from schemas.event import Event
from schemas.rejected import Reason
from schemas.semantics import REGISTRY
from tests.ingest.adapters.wechat_signing import (
    AES_KEY,
    NOW,
    PAYLOADS,
    TOKEN,
    enclosed,
    encrypted,
    hook,
    payload,
    query,
    seal,
    signature,
)
from tests.ingest.desks import ANY

APP = "wx2c2769f8efd9abc2"
SECRETS = {"token": TOKEN, "aes_key": AES_KEY}
PLAIN = {"app_id": APP, "mode": "plain"}
AES = {"app_id": APP, "mode": "aes"}
OPENID = f"wechat_openid/{APP}"
DOCUMENTED = {"token": "AAAAA", "aes_key": "A" * 43}
SAMPLE = {"token": "spamtest", "aes_key": AES_KEY}
SAMPLE_SEALED = (
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh"
    "0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRj"
    "pA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6"
    "OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
)
SAMPLE_FIELDS = (
    "<ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName><FromUserName><![CDATA[{}]]></FromUserName>"
    "<CreateTime>1409735668</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[abcdteT]]></Content>"
    "<MsgId>6054768590064713728</MsgId>"
)
"""What compatible mode adds in plain sight: here from somebody else than in what is encrypted."""
PUSHED = {
    "ToUserName": "gh_97417a04a28d",
    "FromUserName": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
    "CreateTime": 1714037059,
    "MsgType": "event",
    "Event": "debug_demo",
    "debug_str": "hello world",
}
JSON_SEALED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT"
    "740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8Y"
    "L/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
XML_SEALED = (
    "D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7oAbqjDv8KenVp+ajKYpJny"
    "Q4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYze"
    "cSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4F"
    "UL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFH"
    "TYe0Mg=="
)


def take(given: Hook, config: dict[str, str] = PLAIN, secrets: dict[str, str] = SECRETS) -> Taken:
    return ADAPTER.take(given, secrets, config)


def taken(given: Hook, config: dict[str, str] = PLAIN, secrets: dict[str, str] = SECRETS) -> Event:
    """The one event of a push, as the log has it."""
    result = take(given, config, secrets)
    assert (result.reply.body, result.reply.status) == (b"success", 200)
    accepted = accept(result.messages, ANY, Arrival(NOW, "request"))
    assert not accepted.refused, accepted.refused
    ((_, value),) = accepted.events
    return Event.model_validate_json(value)


def at(timestamp: str, nonce: str, **signed: str) -> dict[str, str]:
    return {"timestamp": timestamp, "nonce": nonce, **signed}


FOLLOWER = {OPENID: ["FromUser"]}
WRITER = {OPENID: ["fromUser"]}
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, list[str]]]] = {
    "text": ("Message Received", {"kind": "text", "text": "this is a test"}, WRITER),
    "image": (
        "Message Received",
        {"kind": "image", "picture_url": "this is a url", "media_id": "media_id"},
        WRITER,
    ),
    "voice": (
        "Message Received",
        {"kind": "voice", "recognition": "腾讯微信团队", "format": "Format"},
        WRITER,
    ),
    "video": ("Message Received", {"kind": "video", "thumb_media_id": "thumb_media_id"}, WRITER),
    "shortvideo": ("Message Received", {"kind": "shortvideo", "media_id": "media_id"}, WRITER),
    "location": (
        "Message Received",
        {
            "kind": "location",
            "latitude": 23.134521,
            "longitude": 113.358803,
            "scale": 20,
            "label": "位置信息",
        },
        WRITER,
    ),
    "link": ("Message Received", {"kind": "link", "title": "公众平台官网链接", "url": "url"}, WRITER),
    "subscribe": ("Account Followed", {"account": "toUser", "network": "wechat"}, FOLLOWER),
    "subscribe_by_qr": ("Account Followed", {"scene": "123123", "ticket": "TICKET"}, FOLLOWER),
    "unsubscribe": ("Account Unfollowed", {"account": "toUser"}, FOLLOWER),
    "scan": ("QR Code Scanned", {"scene": "SCENE_VALUE", "ticket": "TICKET"}, FOLLOWER),
    "location_report": (
        "Location Reported",
        {"latitude": 23.137466, "longitude": 113.352425, "precision": 119.38504},
        FOLLOWER,
    ),
    "click": ("Menu Clicked", {"action": "click", "key": "EVENTKEY"}, FOLLOWER),
    "view": ("Menu Clicked", {"action": "view", "url": "www.qq.com", "menu_id": "MENUID"}, FOLLOWER),
    "scancode_push": (
        "Menu Clicked",
        {"action": "scancode_push", "key": "6", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}},
        {OPENID: ["oMgHVjngRipVsoxg6TuX3vz6glDg"]},
    ),
    "pic_weixin": ("Menu Clicked", {"action": "pic_weixin"}, {OPENID: ["oMgHVjngRipVsoxg6TuX3vz6glDg"]}),
    "location_select": (
        "Menu Clicked",
        {"action": "location_select"},
        {OPENID: ["oMgHVjngRipVsoxg6TuX3vz6glDg"]},
    ),
    "template_delivered": (
        "Message Delivered",
        {"template_message_id": "200163836", "status": "success"},
        {OPENID: ["oia2TjuEGTNoeX76QEjQNrcURxG8"]},
    ),
    "template_blocked": (
        "Message Bounced",
        {"status": "failed:user block"},
        {OPENID: ["oia2TjuEGTNoeX76QEjQNrcURxG8"]},
    ),
    "authorization_revoked": (
        "WeChat user_authorization_revoke",
        {"RevokeInfo": "1"},
        {OPENID: ["owAqB1nqaOYYWl0Ng484G2z5NIwU"]},
    ),
    "user_get_card": (
        "WeChat user_get_card",
        {"CardId": "phW_H1XI2M1nm6dUoINLxUUzzZy8", "UserCardCode": "927983162925"},
        {"wechat_unionid": ["oAAAAAHbl9CwWJLFKEIkJhOKd1Pg"], OPENID: ["oDqlM1TyKpSulfMC2OsZPwhi9XtQ"]},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_kind(kind: str) -> None:
    name, properties, identifiers = KINDS[kind]
    event = taken(hook(payload("wechat", kind)))
    assert (event.name, event.channel, event.identifiers) == (name, ANY.channel, identifiers)
    assert properties.items() <= event.properties.items()
    assert "Encrypt" not in event.properties
    assert taken(encrypted(payload("wechat", kind), APP), AES) == event


def test_every_payload_is_tried() -> None:
    assert {path.stem for path in (PAYLOADS / "wechat").glob("*.xml")} == set(KINDS)


def test_an_event_has_its_senders_time_and_object() -> None:
    event = taken(hook(payload("wechat", "subscribe_by_qr")))
    assert event.occurred_at == 123456789000
    assert event.context["original"] == {
        "ToUserName": "toUser",
        "FromUserName": "FromUser",
        "CreateTime": "123456789",
        "MsgType": "event",
        "Event": "subscribe",
        "EventKey": "qrscene_123123",
        "Ticket": "TICKET",
    }
    assert event.name in REGISTRY


def test_the_documented_handshake() -> None:
    signed = {"signature": "f464b24fc39322e44b38aa78f5edd27bd1441696", "echostr": "4375120948345356249"}
    asked = hook(b"", at("1714036504", "1514711492", **signed), "GET", 1714036504000)
    for config in (PLAIN, AES):
        assert take(asked, config, DOCUMENTED).messages == []
        assert take(asked, config, DOCUMENTED).reply.body == b"4375120948345356249"
    with pytest.raises(NotGenuine):
        take(asked, PLAIN, SECRETS)
    with pytest.raises(NotGenuine):
        take(asked._replace(now=NOW), PLAIN, DOCUMENTED)


def test_the_documented_push_in_plain_mode() -> None:
    signed = {"signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78"}
    body = json.dumps(PUSHED).encode()
    event = taken(hook(body, at("1714037059", "486452656", **signed), now=1714037059000), PLAIN, DOCUMENTED)
    assert (event.name, event.properties["debug_str"]) == ("WeChat debug_demo", "hello world")
    assert event.occurred_at == 1714037059000


def test_the_documented_push_in_aes_mode() -> None:
    signed = {"encrypt_type": "aes", "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"}
    body = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": JSON_SEALED})
    config = {"app_id": "wxba5fad812f8e6fb9", "mode": "aes"}
    for written in (body, body.replace("/", r"\/")):
        push = hook(written.encode(), at("1714112445", "415670741", **signed), now=1714112445000)
        event = taken(push, config, DOCUMENTED)
        assert event.identifiers == {"wechat_openid/wxba5fad812f8e6fb9": ["o9AgO5Kd5ggOC-bXrbNODIiE3bGY"]}
        assert event.occurred_at == 1714112445000


def test_the_documented_push_as_xml_in_aes_mode() -> None:
    signed = {"encrypt_type": "aes", "msg_signature": "6c12a4205838198b8fa631b3220723bb07f1015c"}
    push = hook(enclosed(XML_SEALED), at("1715943329", "1590219412", **signed), now=1715943329000)
    event = taken(push, {"app_id": "wx134c8103faa5a59e", "mode": "aes"}, DOCUMENTED)
    assert (event.name, event.properties["debug_str"]) == ("WeChat debug_demo", "hello world")


@pytest.mark.parametrize("config", [PLAIN, AES])
def test_in_compatible_mode_what_is_encrypted_counts(config: dict[str, str]) -> None:
    """The official sample, but for a sender in plain sight that somebody exchanged."""
    body = f"<xml>{SAMPLE_FIELDS.format('somebody-else')}<Encrypt><![CDATA[{SAMPLE_SEALED}]]></Encrypt></xml>".encode()
    signed = {"encrypt_type": "aes", "msg_signature": "5d197aaffba7e9b25a30732f161a50dee96bd5fa"}
    event = taken(hook(body, at("1409735669", "1320562132", **signed), now=1409735669000), config, SAMPLE)
    assert event.identifiers == {OPENID: ["oyORnuP8q7ou2gfYjqLzSIWZf0rs"]}
    assert event.properties["text"] == "abcdteT"
    assert "Encrypt" not in event.context["original"]


@pytest.mark.parametrize("mode", ["aes", "AES", "secure", ""])
def test_a_source_in_any_mode_but_plain_takes_nothing_plain(mode: str) -> None:
    for asked in (query(), {**query(), "encrypt_type": "raw"}, {**query(), "encrypt_type": "aes"}):
        with pytest.raises(NotGenuine, match="not encrypted"):
            take(hook(payload("wechat", "text"), asked), {**PLAIN, "mode": mode})


def test_a_source_in_plain_mode_takes_what_is_encrypted_too() -> None:
    assert taken(encrypted(payload("wechat", "text"), APP), PLAIN) == taken(
        hook(payload("wechat", "text")), PLAIN
    )


def test_plain_mode_needs_no_key_and_then_takes_nothing_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_SECRET_CN_TOKEN", TOKEN)
    (keyless,) = Secrets(None).of("cn", as_told(ADAPTER, PLAIN))
    assert taken(hook(payload("wechat", "text")), PLAIN, dict(keyless)).name == "Message Received"
    with pytest.raises(NotGenuine, match="no aes_key"):
        take(encrypted(payload("wechat", "text"), APP), PLAIN, dict(keyless))
    secrets = Secrets(None)
    secrets.of("cn", as_told(ADAPTER, PLAIN))
    with pytest.raises(Missing):
        secrets.of("cn", as_told(ADAPTER, AES))


def test_forged_and_altered() -> None:
    genuine = encrypted(payload("wechat", "text"), APP)
    other = enclosed(seal(payload("wechat", "subscribe"), APP))
    unsigned = {name: value for name, value in genuine.query.items() if name != "msg_signature"}
    for forged in (
        genuine._replace(body=other),
        genuine._replace(query=unsigned),
        genuine._replace(query={**genuine.query, "msg_signature": genuine.query["signature"]}),
        genuine._replace(query={**genuine.query, "msg_signature": "ä" * 40}),
        genuine._replace(query={**genuine.query, "nonce": "1"}),
        genuine._replace(body=b""),
    ):
        with pytest.raises(NotGenuine):
            take(forged, AES)
    for bad in ({}, {**query(), "signature": ""}, query(token="another"), {**query(), "nonce": "\ud800"}):
        with pytest.raises(NotGenuine):
            take(hook(payload("wechat", "text"), bad))
    with pytest.raises(NotGenuine):
        take(hook(payload("wechat", "text"), query(token="")), PLAIN, {**SECRETS, "token": ""})


def test_with_another_key_or_for_another_account() -> None:
    with pytest.raises(NotGenuine, match="another account"):
        take(encrypted(payload("wechat", "text"), "wx0000000000000000"), AES)
    with pytest.raises(NotGenuine, match="aes_key"):
        take(encrypted(payload("wechat", "text"), APP), AES, {**SECRETS, "aes_key": "A" * 43})


@pytest.mark.parametrize(
    ("timestamp", "fresh"),
    [
        ("1790000000", True),
        ("1789999700", True),
        ("1790000300", True),
        ("1789999699", False),
        ("1790000301", False),
        ("179000000", False),
        ("01790000000", False),
        ("1790000000000", False),
        ("17900000.0", False),
        ("１７９０００００００", False),
        ("", False),
    ],
)
def test_a_request_of_long_ago_is_not_taken(timestamp: str, fresh: bool) -> None:
    push = hook(payload("wechat", "text"), query(timestamp))
    if fresh:
        assert take(push).messages
    else:
        with pytest.raises(NotGenuine, match="five minutes"):
            take(push)


def test_digits_cannot_move_between_what_is_signed() -> None:
    """Parts are joined without anything between them, so a later time could be made of an overheard one's digits."""
    overheard = query("1234567890", "1790000000")
    assert signature(TOKEN, "1234567890", "1790000000") == overheard["signature"]
    moved = {**overheard, "timestamp": "12345678901", "nonce": "790000000"}
    with pytest.raises(NotGenuine):
        take(hook(payload("wechat", "text"), moved, now=12345678901000))


def test_sent_again_it_is_the_same_message() -> None:
    """WeChat repeats what is not answered, in any mode, encrypted anew."""
    for kind in KINDS:
        body = payload("wechat", kind)
        again = [hook(body), encrypted(body, APP), encrypted(body, APP, start=b"x" * 16)]
        assert len({take(push).messages[0]["messageId"] for push in again}) == 1
    ids = {
        take(hook(payload("wechat", kind))).messages[0]["messageId"] for kind in KINDS if kind not in WRITTEN
    }
    assert len(ids) == len(KINDS) - len(WRITTEN)


WRITTEN = {"text", "image", "voice", "video", "shortvideo", "location", "link"}
"""These have one MsgId in the documentation."""


def test_an_unknown_kind_is_a_generic_event() -> None:
    body = b"<xml><FromUserName>o1</FromUserName><MsgType>event</MsgType><Event>new_one</Event><A><B>1</B></A></xml>"
    event = taken(hook(body))
    assert (event.name, event.properties["A"]) == ("WeChat new_one", {"B": "1"})
    body = b"<xml><FromUserName>o1</FromUserName><MsgType>hologram</MsgType><MsgId>7</MsgId></xml>"
    event = taken(hook(body))
    assert (event.name, event.properties["kind"]) == ("Message Received", "hologram")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<xml>",
        b"<xml></xml>",
        b"<xml>hello</xml>",
        b"[]",
        b"{",
        b'{"MsgType": 1}',
        b"<xml><MsgType> </MsgType></xml>",
        b"<xml><MsgType>event</MsgType></xml>",
        b"<xml><MsgType>text</MsgType></xml><xml/>",
        b"<xml><MsgType>\xff</MsgType></xml>",
        b"<xml><MsgType>&lol;</MsgType></xml>",
        b'<!DOCTYPE x><xml><MsgType>text</MsgType></xml>',
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><MsgType>&a;</MsgType></xml>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><MsgType>text</MsgType></xml>',
        b"<a>" * 100_000,
        b"<xml>" + b"<a/>" * 100_000 + b"</xml>",
        '<?xml version="1.0" encoding="utf-16"?><xml/>'.encode("utf-16"),
    ],
)  # fmt: skip
def test_malformed(body: bytes) -> None:
    for push in (hook(body), encrypted(body, APP)):
        with pytest.raises(Refusal) as caught:
            take(push)
        assert caught.value.reason in (Reason.MALFORMED, Reason.INVALID)


def test_a_doctype_in_what_somebody_wrote_is_text() -> None:
    body = payload("wechat", "text").replace(b"this is a test", b"<!DOCTYPE html><b>&amp;</b>")
    assert taken(hook(body)).properties["text"] == "<!DOCTYPE html><b>&amp;</b>"


def test_huge() -> None:
    body = payload("wechat", "text").replace(b"this is a test", b"x" * 2_000_000)
    accepted = accept(take(hook(body)).messages, ANY, Arrival(NOW, "request"))
    assert [refused.rejection.reason for refused in accepted.refused] == [Reason.TOO_LARGE]


def test_from_nobody() -> None:
    body = payload("wechat", "text").replace(b"fromUser", b"")
    accepted = accept(take(hook(body)).messages, ANY, Arrival(NOW, "request"))
    assert [refused.rejection.reason for refused in accepted.refused] == [Reason.NO_IDENTIFIER]


def test_it_is_registered() -> None:
    assert ADAPTERS["wechat"] is ADAPTER


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "ToUserName",
    "FromUserName",
    "CreateTime",
    "MsgType",
    "Event",
    "EventKey",
    "MsgId",
    "UnionId",
    "OpenID",
]
FIELDS += ["Latitude", "Location_X", "Status", "MsgID"]


@given(
    st.dictionaries(
        st.sampled_from(FIELDS), anything | st.sampled_from(["event", "SCAN", "VIEW", "LOCATION"])
    )
)
def test_any_json_is_taken_or_refused(fields: dict[str, Any]) -> None:
    try:
        messages = take(hook(json.dumps(fields).encode())).messages
    except Refusal:
        return
    accept(messages, ANY, Arrival(NOW, "request"))


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_alteration_is_taken_or_refused(kind: str, data: st.DataObject) -> None:
    body = bytearray(payload("wechat", kind))
    for _ in range(data.draw(st.integers(1, 5))):
        at, cut = data.draw(st.integers(0, len(body))), data.draw(st.integers(0, 30))
        body[at : at + cut] = data.draw(
            st.binary(max_size=5) | st.sampled_from([b"<a>", b"]]>", b"</xml>", b"<Event>"])
        )
    try:
        messages = take(hook(bytes(body))).messages
    except Refusal:
        return
    accept(messages, ANY, Arrival(NOW, "request"))


@given(st.binary(max_size=300), st.text(max_size=12), st.text(max_size=12))
def test_anything_unsigned_is_not_genuine(body: bytes, timestamp: str, sign: str) -> None:
    asked = {
        "timestamp": timestamp,
        "nonce": "1",
        "signature": sign,
        "msg_signature": sign,
        "encrypt_type": "aes",
    }
    for method in ("GET", "POST"):
        with pytest.raises(NotGenuine):
            take(hook(body, asked, method), AES)
