"""WeChat official accounts: messages of followers, and what they do. Pure.

Format: developers.weixin.qq.com, "message push". In plain mode WeChat signs no body (`wechat_crypto`): a source in mode
`aes` takes nothing that is not encrypted, and one in mode `plain` takes both, encrypted ones where it has an `aes_key`.
"""

from collections.abc import Callable

from ingest.adapters.adapter import Adapter, Hook, Message, Named, NotGenuine, Reply, Taken
from ingest.adapters.checks import formed
from ingest.adapters.wechat_body import digest, instant, kind_of, number, parse, properties
from ingest.adapters.wechat_crypto import check, cipher, unseal
from ingest.shapes import MAX_NAME, Fields

SUCCESS = Reply(b"success")
ENVELOPE = frozenset((
    "ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "MsgId", "Encrypt", "OpenID", "UnionId", "UnionID",
))  # fmt: skip
"""Fields that are no properties."""
OURS = {
    "Content": "text", "PicUrl": "picture_url", "MediaId": "media_id", "Format": "format", "Recognition": "recognition",
    "ThumbMediaId": "thumb_media_id", "Location_X": "latitude", "Location_Y": "longitude", "Scale": "scale",
    "Label": "label", "Title": "title", "Description": "description", "Url": "url", "EventKey": "key",
    "Ticket": "ticket", "MenuId": "menu_id", "Latitude": "latitude", "Longitude": "longitude",
    "Precision": "precision", "MsgID": "template_message_id", "Status": "status",
}  # fmt: skip
PLACE = ("latitude", "longitude", "precision", "scale")

Told = tuple[str, Fields]
"""An event's name and properties."""


def take(hook: Hook, secrets: Named, config: Named) -> Taken:
    """The message of one push, or the answer to WeChat's question whether this URL knows the token."""
    token, account = secrets["token"], config["app_id"]
    if hook.method == "GET":
        check(hook, token, "signature")
        return Taken([], Reply(hook.query.get("echostr", "").encode("utf-8", "replace")))
    if config["mode"] != "plain" or hook.query.get("encrypt_type") == "aes":
        if "aes_key" not in secrets:
            raise NotGenuine("encrypted, and this source has no aes_key")
        return Taken([_message(parse(unseal(hook, token, secrets["aes_key"], account)), account)], SUCCESS)
    check(hook, token, "signature")
    return Taken([_message(parse(hook.body), account)], SUCCESS)


def _message(body: Fields, account: str) -> Message:
    name, said = _told(body)
    for field in PLACE:
        if field in said:
            said[field] = number(said[field])
    who = body.get("OpenID") or body.get(
        "FromUserName"
    )  # what WeChat itself tells of a follower names them so
    ids = ((who, f"wechat_openid/{account}"), (body.get("UnionId") or body.get("UnionID"), "wechat_unionid"))
    return {
        "type": "track",
        "event": name[:MAX_NAME],
        "messageId": f"wechat-{_id(body, account)}",
        "timestamp": instant(body.get("CreateTime")),
        "properties": {**said, "network": "wechat", "account": body.get("ToUserName")},
        "context": {
            "externalIds": [{"id": value, "type": namespace} for value, namespace in ids if value],
            "original": body,
        },
    }


def _id(body: Fields, account: str) -> str:
    """WeChat repeats what is not answered within 5 s; it says to know messages by MsgId, events by who and when."""
    if body.get("MsgId") and body.get("MsgType") != "event":
        return digest(account, body["MsgId"])
    what = ("FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgID", "OpenID")
    return digest(account, *(body.get(field) for field in what))


def _told(body: Fields) -> Told:
    kind, said = kind_of(body, "MsgType"), properties(body, OURS, ENVELOPE)
    if kind != "event":
        return "Message Received", {**said, "kind": kind}
    event = kind_of(body, "Event")
    told = EVENTS.get(event.lower())
    return told(event, said) if told else (f"WeChat {event}", said)


def _followed(_: str, said: Fields) -> Told:
    return "Account Followed", _scene(said)


def _unfollowed(_: str, said: Fields) -> Told:
    return "Account Unfollowed", said


def _scanned(_: str, said: Fields) -> Told:
    return "QR Code Scanned", _scene(said)


def _located(_: str, said: Fields) -> Told:
    return "Location Reported", said


def _menu(event: str, said: Fields) -> Told:
    """`action`: what the menu entry does; the key of one that opens something is what it opens."""
    action = event.lower()
    if action in ("view", "view_miniprogram") and "key" in said:
        said["url" if action == "view" else "page"] = said.pop("key")
    return "Menu Clicked", {**said, "action": action}


def _sent(_: str, said: Fields) -> Told:
    return "Message Delivered" if said.get("status") == "success" else "Message Bounced", said


def _scene(said: Fields) -> Fields:
    """The scene of a QR code, which tells where somebody comes from: the key, for new followers behind a prefix."""
    scene = said.pop("key", None)
    return said if scene is None else {**said, "scene": str(scene).removeprefix("qrscene_")}


EVENTS: dict[str, Callable[[str, Fields], Told]] = {
    "subscribe": _followed,
    "unsubscribe": _unfollowed,
    "scan": _scanned,
    "location": _located,
    "templatesendjobfinish": _sent,
    **dict.fromkeys(
        ("click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg", "pic_sysphoto",
         "pic_photo_or_album", "pic_weixin", "location_select"),
        _menu,
    ),
}  # fmt: skip
"""Every event with a name of ours; others are generic."""

ADAPTER = Adapter(
    "wechat",
    "WeChat official account: messages of followers, followed and unfollowed, QR codes, menus, locations",
    "social",
    secrets=("token", "aes_key"),
    config=("app_id", "mode"),
    take=take,
    checks={
        "aes_key": cipher,
        "app_id": formed(
            "app_id",
            r"wx[A-Za-z0-9]{1,62}",
            "the account's AppID, as wx2c2769f8efd9abc2; gh_... is its original id, which is another",
        ),
        "mode": formed("mode", "aes|plain", "aes (the console's secure or compatible mode), or plain"),
    },
    unneeded={"aes_key": ("mode", "plain")},
)
