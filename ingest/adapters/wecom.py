"""WeCom (enterprise WeChat), as a company's own app receives it: customers of its employees, and customer groups. Pure.

Format: developer.work.weixin.qq.com, "customer contact / callbacks"; encrypted as `wechat_crypto` says, always. An
employee (`UserID`) is no customer, but a property. What names no customer (a group dissolved, an employee's message to
the app) is kept under the company itself, which is nobody: brand_account/wecom with the corp id as its value.
"""

import re
from typing import Any

from ingest.adapters.adapter import Adapter, Hook, Message, Named, Reply, Taken
from ingest.adapters.wechat_body import digest, instant, kind_of, parse, properties
from ingest.adapters.wechat_crypto import check, cipher, decrypt, unseal
from ingest.bodies import MAX_EVENTS, original
from ingest.refusal import too_large
from ingest.shapes import MAX_NAME, Fields

ENVELOPE = frozenset((
    "ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "MsgId", "UserID", "ExternalUserID", "UnionId",
    "MemChangeList", "WelcomeCode",
))  # fmt: skip
"""Fields that are no properties: a welcome code lets whoever has it write to the customer."""
OURS = {
    "ChangeType": "change", "State": "state", "Source": "deleted_by", "FailReason": "reason", "ChatId": "group",
    "UpdateDetail": "detail", "JoinScene": "join_scene", "QuitScene": "quit_scene", "MemChangeCnt": "members",
    "AgentID": "app", "Content": "text",
}  # fmt: skip
CONTACT = {
    "add_external_contact": "Contact Added",
    "add_half_external_contact": "Contact Requested",
    "edit_external_contact": "Contact Edited",
    "del_external_contact": "Contact Removed",
    "del_follow_user": "Contact Left",
    "transfer_fail": "Contact Transfer Failed",
}
CHAT = {"create": "Group Created", "update": "Group Changed", "dismiss": "Group Dismissed"}
NAMES = {"change_external_contact": CONTACT, "change_external_chat": CHAT}
MEMBERS = {"add_member": "Group Joined", "del_member": "Group Left"}
CUSTOMER = re.compile(r"w[mo][A-Za-z0-9_-]{18,62}")
"""A customer's id among those of a group's members; others are employees'."""


def take(hook: Hook, secrets: Named, config: Named) -> Taken:
    """The messages of one callback, or the answer to WeCom's question whether this URL has the token and the key."""
    token, key, corp = secrets["token"], secrets["aes_key"], config["corp_id"]
    if hook.method == "GET":
        echo = hook.query.get("echostr", "")
        check(hook, token, "msg_signature", echo)
        return Taken([], Reply(decrypt(echo, key, corp)))
    return Taken(_messages(parse(unseal(hook, token, key, corp)), corp), Reply(b"success"))


def _messages(body: Fields, corp: str) -> list[Message]:
    """One, or one a member that joined or left a group."""
    name = MEMBERS.get(str(body.get("UpdateDetail"))) if body.get("Event") == "change_external_chat" else None
    members = _members(body.get("MemChangeList"))
    if name is None or not members:
        return [_message(_name(body), body, corp, body.get("ExternalUserID"))]
    if len(members) > MAX_EVENTS:
        raise too_large(f"a group of more than {MAX_EVENTS} members")
    return [
        _message(name, {**body, "MemChangeList": {"Item": member}}, corp, member, at=number)
        for number, member in enumerate(members)
    ]


def _members(listed: Any) -> list[str]:
    """`<Item>` each, or a text with commas as before 2024."""
    items = listed.get("Item") if isinstance(listed, dict) else listed
    if isinstance(items, str):
        items = items.split(",")
    return [item for item in items if isinstance(item, str) and item] if isinstance(items, list) else []


def _name(body: Fields) -> str:
    if kind_of(body, "MsgType") != "event":
        return "WeCom message"
    event, change = kind_of(body, "Event"), body.get("ChangeType")
    plain = f"WeCom {event} {change}" if change else f"WeCom {event}"
    return NAMES.get(event, {}).get(str(change), plain)[:MAX_NAME]


def _message(name: str, body: Fields, corp: str, who: Any, at: int | None = None) -> Message:
    """`at`: who is a group's member, customer or employee, at this place of its list."""
    is_customer = bool(who) and (at is None or CUSTOMER.fullmatch(who) is not None)
    employee = who if at is not None and not is_customer else _employee(body)
    ids = [{"id": who, "type": f"wecom_external_userid/{corp}"}] if is_customer else []
    if body.get("UnionId"):
        ids.append({"id": body["UnionId"], "type": "wechat_unionid"})
    said = properties(body, OURS, ENVELOPE)
    if employee:
        said["employee"] = employee
    if body.get("MsgType") != "event":
        said["kind"] = body["MsgType"]
    return {
        "type": "track",
        "event": name,
        "messageId": f"wecom-{_id(body, corp)}",
        "timestamp": instant(body.get("CreateTime")),
        "properties": {**said, "network": "wecom", "account": corp},
        "context": {"externalIds": ids or [{"id": corp, "type": "brand_account/wecom"}], "original": body},
    }


def _employee(body: Fields) -> Any:
    return body.get("UserID") or (body.get("FromUserName") if body.get("FromUserName") != "sys" else None)


def _id(body: Fields, corp: str) -> str:
    """Messages are known by MsgId; an event by all that it says, as the sender of most is `sys`."""
    if body.get("MsgId") and body.get("MsgType") != "event":
        return digest(corp, body["MsgId"])
    return digest(corp, original(body).decode())


ADAPTER = Adapter(
    "wecom",
    "WeCom: customers of employees added, edited and lost, customer groups joined and left",
    "social",
    secrets=("token", "aes_key"),
    config=("corp_id",),
    take=take,
    checks={"aes_key": cipher},
)
