import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.accept import accept
from ingest.adapters.adapter import Hook, NotGenuine, Taken, wrong
from ingest.adapters.registry import ADAPTERS
from ingest.adapters.wecom import ADAPTER
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from schemas.errors import ConfigError
from schemas.event import Event
from schemas.rejected import Reason
from schemas.semantics import NOT_OWN
from tests.ingest.adapters.wechat_signing import (
    AES_KEY,
    NONCE,
    NOW,
    PAYLOADS,
    TIMESTAMP,
    TOKEN,
    enclosed,
    encrypted,
    hook,
    payload,
    seal,
    signature,
)
from tests.ingest.desks import ANY

CORP = "wx5823bf96d3bd56c7"
CONFIG = {"corp_id": CORP}
SECRETS = {"token": TOKEN, "aes_key": AES_KEY}
DOCUMENTED = {"token": "QDG6eK", "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"}
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
SEALED = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUk"
    "SUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekU"
    "NXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rU"
    "PA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+"
    "qN+E7Q=="
)


def take(push: Hook, secrets: dict[str, str] = SECRETS) -> Taken:
    return ADAPTER.take(push, secrets, CONFIG)


def taken(push: Hook, secrets: dict[str, str] = SECRETS) -> list[Event]:
    """The events of a callback, as the log has them."""
    result = take(push, secrets)
    assert (result.reply.body, result.reply.status) == (b"success", 200)
    accepted = accept(result.messages, ANY, Arrival(NOW, "request"))
    assert not accepted.refused, accepted.refused
    return [Event.model_validate_json(value) for _, value in accepted.events]


def callback(name: str) -> Hook:
    return encrypted(payload("wecom", name), CORP)


def customer(external: str) -> dict[str, list[str]]:
    return {f"wecom_external_userid/{CORP}": [external]}


COMPANY = {"brand_account/wecom": [CORP]}
EXTERNAL = customer("woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA")
A, B = "wmOgQhDgAAuXFJGwbve4g4iXknfOAAAA", "wmOgQhDgAAuXFJGwbve4g4iXknfOBBBB"
KINDS: dict[str, list[tuple[str, dict[str, Any], dict[str, list[str]]]]] = {
    "add_external_contact": [
        (
            "Contact Added",
            {"employee": "zhangsan", "state": "teststate", "network": "wecom", "account": CORP},
            customer("woAJ2GCAAAXtWyujaWJHDDGi0mAAAA"),
        )
    ],
    "add_half_external_contact": [
        ("Contact Requested", {"employee": "zhangsan", "state": "teststate"}, EXTERNAL)
    ],
    "edit_external_contact": [("Contact Edited", {"employee": "zhangsan"}, EXTERNAL)],
    "del_external_contact": [
        ("Contact Removed", {"employee": "zhangsan", "deleted_by": "DELETE_BY_TRANSFER"}, EXTERNAL)
    ],
    "del_follow_user": [("Contact Left", {"employee": "zhangsan"}, EXTERNAL)],
    "transfer_fail": [("Contact Transfer Failed", {"reason": "customer_refused"}, EXTERNAL)],
    "msg_audit_approved": [
        ("WeCom change_external_contact msg_audit_approved", {"employee": "zhangsan"}, EXTERNAL)
    ],
    "chat_create": [("Group Created", {"group": "CHAT_ID"}, COMPANY)],
    "chat_dismiss": [("Group Dismissed", {"group": "CHAT_ID"}, COMPANY)],
    "chat_change_name": [("Group Changed", {"group": "CHAT_ID", "detail": "change_name"}, COMPANY)],
    "chat_update_documented": [
        ("Group Joined", {"group": "CHAT_ID", "employee": "Jack", "join_scene": "1"}, COMPANY),
        ("Group Joined", {"group": "CHAT_ID", "employee": "Rose", "join_scene": "1"}, COMPANY),
    ],
    "chat_add_members": [
        ("Group Joined", {"group": "CHAT_ID", "join_scene": "3"}, customer(A)),
        ("Group Joined", {"group": "CHAT_ID", "join_scene": "3"}, customer(B)),
        ("Group Joined", {"group": "CHAT_ID", "employee": "zhangsan"}, COMPANY),
    ],
    "chat_del_member_before_2024": [
        ("Group Left", {"group": "CHAT_ID", "quit_scene": "1"}, customer(A)),
        ("Group Left", {"group": "CHAT_ID", "quit_scene": "1"}, customer(B)),
    ],
    "tag_create": [("WeCom change_external_tag create", {"Id": "TAG_ID", "TagType": "tag"}, COMPANY)],
    "text": [
        (
            "WeCom message",
            {"kind": "text", "text": "this is a test", "employee": "fromUser", "app": "1"},
            COMPANY,
        )
    ],
    "enter_agent": [("WeCom enter_agent", {"employee": "FromUser", "app": "1"}, COMPANY)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_kind(kind: str) -> None:
    events = taken(callback(kind))
    assert [(e.name, e.identifiers) for e in events] == [(name, ids) for name, _, ids in KINDS[kind]]
    for event, (_, properties, _) in zip(events, KINDS[kind], strict=True):
        assert properties.items() <= event.properties.items()
        assert event.context["original"]["MsgType"]
        assert "WelcomeCode" not in event.properties


def test_every_payload_is_tried() -> None:
    assert {path.stem for path in (PAYLOADS / "wecom").glob("*.xml")} == set(KINDS)


def test_what_an_employee_does_is_not_the_customers_doing() -> None:
    assert {"Contact Edited", "Contact Removed", "Contact Transfer Failed"} <= NOT_OWN


def test_a_member_of_a_group_is_an_event_with_its_own_part_of_the_original() -> None:
    first, second, _ = taken(callback("chat_add_members"))
    assert first.context["original"]["MemChangeList"] == {"Item": A}
    assert second.context["original"]["MemChangeList"] == {"Item": B}
    assert first.context["original"]["CurMemVer"] == "71217227bbd112ecfe3a49c482195cb4"
    assert first.occurred_at == 1403610513000


def test_who_has_a_union_id_is_known_by_it_and_not_by_the_company() -> None:
    """Else the company would be one customer with everybody of whom such a thing is told."""
    body = payload("wecom", "tag_create").replace(b"</xml>", b"<UnionId>ozyn</UnionId></xml>")
    (event,) = taken(encrypted(body, CORP))
    assert event.identifiers == {"wechat_unionid": ["ozyn"]}


def test_the_documented_handshake() -> None:
    asked = {
        "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        "timestamp": "1409659589",
        "nonce": "263014780",
        "echostr": ECHO,
    }
    push = hook(b"", asked, "GET", 1409659589000)
    assert take(push, DOCUMENTED).reply.body == b"1616140317555161061"
    assert take(push, DOCUMENTED).messages == []
    for altered in (
        push._replace(query={**asked, "echostr": ECHO.replace("P9", "Q9")}),
        push._replace(query={name: value for name, value in asked.items() if name != "echostr"}),
        push._replace(now=NOW),
    ):
        with pytest.raises(NotGenuine):
            take(altered, DOCUMENTED)


def test_the_documented_callback() -> None:
    asked = {
        "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
        "timestamp": "1409659813",
        "nonce": "1372623149",
    }
    (event,) = taken(hook(enclosed(SEALED), asked, now=1409659813000), DOCUMENTED)
    assert event.context["original"] == {
        "ToUserName": CORP,
        "FromUserName": "mycreate",
        "CreateTime": "1409659813",
        "MsgType": "text",
        "Content": "hello",
        "MsgId": "4561255354251345929",
        "AgentID": "218",
    }
    assert (event.properties["employee"], event.properties["text"]) == ("mycreate", "hello")


def test_forged_altered_and_plain() -> None:
    genuine = callback("add_external_contact")
    with pytest.raises(NotGenuine, match="not encrypted"):
        take(genuine._replace(body=payload("wecom", "add_external_contact")))
    for forged in (
        genuine._replace(body=enclosed(seal(payload("wecom", "del_follow_user"), CORP))),
        genuine._replace(query={**genuine.query, "msg_signature": ""}),
        genuine._replace(now=NOW + 300_001),
        encrypted(payload("wecom", "text"), "ww-another"),
    ):
        with pytest.raises(NotGenuine):
            take(forged)


@pytest.mark.parametrize("sealed", ["A" * 43, "AAAA", "=", "A" * 44, "A" * 64])
def test_signed_but_not_encrypted(sealed: str) -> None:
    asked = {
        "msg_signature": signature(TOKEN, TIMESTAMP, NONCE, sealed),
        "timestamp": TIMESTAMP,
        "nonce": NONCE,
    }
    with pytest.raises(NotGenuine):
        take(hook(enclosed(sealed), asked))


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "=", "ä" * 43, "*" * 43])
def test_a_key_that_is_none_is_told(key: str) -> None:
    with pytest.raises(ConfigError, match="EncodingAESKey"):
        take(callback("text"), {"token": TOKEN, "aes_key": key})
    for name in ("wecom", "wechat"):
        assert wrong(ADAPTERS[name], "aes_key", AES_KEY) is None
        error = wrong(ADAPTERS[name], "aes_key", AES_KEY, key)
        assert error is not None
        assert not key or key not in str(error)


def test_sent_again_it_is_the_same_message() -> None:
    found: list[str] = []
    for kind in KINDS:
        body = payload("wecom", kind)
        first, again = (take(encrypted(body, CORP, start=start)).messages for start in (b"a" * 16, b"b" * 16))
        assert first == again
        found += [message["messageId"] for message in first]
    assert len(set(found)) == len(found) == sum(map(len, KINDS.values()))


def test_of_one_second_and_one_sender_and_yet_two_customers() -> None:
    one = payload("wecom", "del_follow_user")
    other = one.replace(b"woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA", b"woAJ2GCAAAXtWyujaWJHDDGi0mACBBBB")
    ids = {take(encrypted(body, CORP)).messages[0]["messageId"] for body in (one, other)}
    assert len(ids) == 2


def test_a_group_of_too_many() -> None:
    body = payload("wecom", "chat_del_member_before_2024").replace(b"AAAA,", b"AAAA," + b"x," * 3_000)
    with pytest.raises(Refusal) as caught:
        take(encrypted(body, CORP))
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<xml/>", b"<!DOCTYPE x><xml><MsgType>event</MsgType></xml>"]
)
def test_malformed(body: bytes) -> None:
    with pytest.raises(Refusal):
        take(encrypted(body, CORP))


def test_it_is_registered() -> None:
    assert ADAPTERS["wecom"] is ADAPTER


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just("Item"), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = [
    "FromUserName",
    "CreateTime",
    "MsgType",
    "Event",
    "ChangeType",
    "UserID",
    "ExternalUserID",
    "UnionId",
    "MsgId",
]
FIELDS += ["UpdateDetail", "MemChangeList", "ChatId"]
VALUES = [
    "event",
    "text",
    "sys",
    "change_external_chat",
    "change_external_contact",
    "update",
    "add_member",
    "a,b",
]


@given(st.dictionaries(st.sampled_from(FIELDS), anything | st.sampled_from(VALUES)))
def test_anything_signed_is_taken_or_refused(fields: dict[str, Any]) -> None:
    try:
        messages = take(encrypted(json.dumps(fields).encode(), CORP)).messages
    except Refusal:
        return
    accept(messages, ANY, Arrival(NOW, "request"))


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_alteration_is_taken_or_refused(kind: str, data: st.DataObject) -> None:
    body = bytearray(payload("wecom", kind))
    for _ in range(data.draw(st.integers(1, 5))):
        at, cut = data.draw(st.integers(0, len(body))), data.draw(st.integers(0, 30))
        body[at : at + cut] = data.draw(
            st.binary(max_size=5) | st.sampled_from([b"<a>", b"]]>", b"</xml>", b"<Item>"])
        )
    try:
        messages = take(encrypted(bytes(body), CORP)).messages
    except Refusal:
        return
    accept(messages, ANY, Arrival(NOW, "request"))


@given(st.binary(max_size=400))
def test_any_plaintext_that_is_signed_is_taken_or_not(plain: bytes) -> None:
    sealed = seal(plain, CORP)
    asked = {
        "msg_signature": signature(TOKEN, TIMESTAMP, NONCE, sealed),
        "timestamp": TIMESTAMP,
        "nonce": NONCE,
    }
    try:
        take(hook(enclosed(sealed), asked))
    except Refusal:
        return
