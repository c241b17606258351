"""Every sender with one example of what it sends, signed now as it signs: what a running ingest is tried with."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.sources.change import add
from schemas.settings import Settings
from tests.ingest import hooks
from tests.ingest.adapters import test_meta, test_sendgrid, test_shopify, test_stripe, test_woocommerce
from tests.ingest.adapters import wechat_signing as wechat
from tests.ingest.adapters.shops import PAYLOADS, payload
from tests.ingest.servers import Answer, Client

NOTHING: Mapping[str, str] = {}
TEXT = "text/plain; charset=utf-8"
OTHER = ec.generate_private_key(ec.SECP256R1())
APP, CORP = "wx2c2769f8efd9abc2", "wx5823bf96d3bd56c7"


class Request(NamedTuple):
    """One request; `query` and `headers` by name."""

    body: bytes = b""
    headers: Mapping[str, str] = NOTHING
    query: Mapping[str, str] = NOTHING
    method: str = "POST"

    @property
    def asked(self) -> str:
        """What follows the path."""
        return f"?{urlencode(self.query)}" if self.query else ""


class Sender(NamedTuple):
    """One source of an adapter, and what its sender sends.

    `sign`: the request of a body, by a key of the sender's, or by another's. `covers`: the signature is of the body.
    `handshake`: what it asks first, by a key of its own or another's, and what it must hear.
    """

    adapter: str
    config: dict[str, str]
    secrets: dict[str, str]
    body: bytes
    sign: Callable[[bytes, bool], Request]
    name: str
    channel: str
    identifiers: dict[str, list[str]]
    original: Any
    reply: bytes = b""
    content_type: str = TEXT
    covers: bool = True
    handshake: tuple[Callable[[bool], Request], bytes] | None = None


def _shopify(body: bytes, genuine: bool) -> Request:
    secret = test_shopify.SECRET if genuine else "guessed"
    signed = test_shopify.signature(body, secret)
    about = {"X-Shopify-Topic": "orders/paid", "X-Shopify-Shop-Domain": test_shopify.SHOP}
    return Request(body, {**about, "X-Shopify-Hmac-Sha256": signed})


def _woocommerce(body: bytes, genuine: bool) -> Request:
    signed = test_woocommerce.signature(body, test_woocommerce.SECRET if genuine else "guessed")
    return Request(body, {"X-WC-Webhook-Topic": "order.created", "X-WC-Webhook-Signature": signed})


def _ping(_: bool) -> Request:
    return Request(b"webhook_id=142", {"Content-Type": "application/x-www-form-urlencoded"})


def _stripe(body: bytes, genuine: bool) -> Request:
    now = int(time.time())
    signed = test_stripe.signed(body, test_stripe.SECRET if genuine else "guessed", now)
    return Request(body, {"Stripe-Signature": f"t={now},v1={signed}"})


def _meta(body: bytes, genuine: bool) -> Request:
    secret = test_meta.SECRETS["app_secret"] if genuine else "guessed"
    return Request(body, {"X-Hub-Signature-256": test_meta.signature(body, secret).decode()})


def _challenge(genuine: bool) -> Request:
    token = test_meta.SECRETS["verify_token"] if genuine else "guessed"
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    return Request(query=asked, method="GET")


def _sendgrid(body: bytes, genuine: bool) -> Request:
    key = test_sendgrid.KEY if genuine else OTHER
    headers = test_sendgrid.signed(body, key, str(int(time.time())).encode())
    return Request(body, {name.decode(): value.decode() for name, value in headers.items()})


def _wechat(body: bytes, genuine: bool) -> Request:
    return Request(body, query=wechat.query(str(int(time.time())), token=_token(genuine)))


def _wechat_asks(genuine: bool) -> Request:
    return Request(query={**_wechat(b"", genuine).query, "echostr": "5127"}, method="GET")


def _sealed(receiver: str) -> Callable[[bytes, bool], Request]:
    def sealed(body: bytes, genuine: bool) -> Request:
        encrypted = wechat.seal(body, receiver)
        return Request(wechat.enclosed(encrypted), query=_of_sealed(encrypted, genuine))

    return sealed


def _wecom_asks(genuine: bool) -> Request:
    echo = wechat.seal(b"1616140317555161061", CORP)
    return Request(query={**_of_sealed(echo, genuine), "echostr": echo}, method="GET")


def _of_sealed(sealed: str, genuine: bool) -> dict[str, str]:
    now, token = str(int(time.time())), _token(genuine)
    signed = wechat.signature(token, now, wechat.NONCE, sealed)
    return {**wechat.query(now, token=token), "encrypt_type": "aes", "msg_signature": signed}


def _token(genuine: bool) -> str:
    return wechat.TOKEN if genuine else "guessed"


def _signed(body: bytes, genuine: bool) -> Request:
    return Request(body, {"X-Cdp-Signature": hooks.signature(body, hooks.SECRET if genuine else "guessed")})


def _fields(xml: bytes) -> dict[str, str | None]:
    return {element.tag: element.text for element in ET.fromstring(xml)}


def _raw(sender: str, name: str) -> bytes:
    (path,) = (PAYLOADS / sender).glob(f"{name}.*")
    return path.read_bytes()


_opened = test_sendgrid.OPENED
_payment = payload("stripe", "payment_intent")
_followed = {"event": "Account Followed", "userId": "u1", "messageId": "followed-1"}
_keys = {"token": wechat.TOKEN, "aes_key": wechat.AES_KEY}

SENDERS: dict[str, Sender] = {
    "shopify": Sender(
        "shopify", {"shop": test_shopify.SHOP}, {"secret": test_shopify.SECRET}, _raw("shopify", "order"), _shopify,
        "Order Completed", "ecommerce",
        {
            f"shop_customer/{test_shopify.SHOP}": ["115310627314723954"],
            f"shop_order/{test_shopify.SHOP}": [test_shopify.ORDER],
            "email": ["jon@biller.example"],
        },
        payload("shopify", "order"),
    ),
    "woocommerce": Sender(
        "woocommerce", {"shop": test_woocommerce.SHOP}, {"secret": test_woocommerce.SECRET},
        _raw("woocommerce", "order"), _woocommerce, "Order Completed", "ecommerce",
        {
            f"shop_customer/{test_woocommerce.SHOP}": ["26"],
            f"shop_order/{test_woocommerce.SHOP}": ["727"],
            "email": ["john.doe@example.org"],
        },
        payload("woocommerce", "order"), handshake=(_ping, b""),
    ),
    "stripe": Sender(
        "stripe", {"account": test_stripe.ACCOUNT}, {"secret": test_stripe.SECRET},
        test_stripe.enveloped("payment_intent.succeeded", _payment), _stripe, "Order Completed", "ecommerce",
        {
            f"shop_customer/{test_stripe.ACCOUNT}": ["cus_NffrFeUfNV2Hib"],
            f"shop_order/{test_stripe.ACCOUNT}": [test_stripe.PAYMENT],
        },
        _payment,
    ),
    "meta": Sender(
        "meta", {}, test_meta.SECRETS, _raw("meta", "page_comment"), _meta, "Comment Added", "social",
        test_meta.SALLY, payload("meta", "page_comment"), handshake=(_challenge, b"1158201444"),
    ),
    "sendgrid": Sender(
        "sendgrid", {"public_key": test_sendgrid.public(test_sendgrid.KEY)}, {}, orjson.dumps([_opened]), _sendgrid,
        "Message Opened", "email", {"email": ["example@test.com"]}, _opened,
    ),
    "wechat-plain": Sender(
        "wechat", {"app_id": APP, "mode": "plain"}, _keys, _raw("wechat", "text"), _wechat, "Message Received",
        "social", {f"wechat_openid/{APP}": ["fromUser"]}, _fields(_raw("wechat", "text")), b"success", covers=False,
        handshake=(_wechat_asks, b"5127"),
    ),
    "wechat-aes": Sender(
        "wechat", {"app_id": APP, "mode": "aes"}, _keys, _raw("wechat", "subscribe_by_qr"), _sealed(APP),
        "Account Followed", "social", {f"wechat_openid/{APP}": ["FromUser"]},
        _fields(_raw("wechat", "subscribe_by_qr")), b"success", handshake=(_wechat_asks, b"5127"),
    ),
    "wecom": Sender(
        "wecom", {"corp_id": CORP}, _keys, _raw("wecom", "add_external_contact"), _sealed(CORP), "Contact Added",
        "social", {f"wecom_external_userid/{CORP}": ["woAJ2GCAAAXtWyujaWJHDDGi0mAAAA"]},
        _fields(_raw("wecom", "add_external_contact")), b"success",
        handshake=(_wecom_asks, b"1616140317555161061"),
    ),
    "signed": Sender(
        "signed", {}, {"signing_secret": hooks.SECRET}, orjson.dumps(_followed), _signed, "Account Followed", "social",
        {"user_id": ["u1"]}, _followed, b'{"success":true}', "application/json",
    ),
}  # fmt: skip
"""By the name of the source."""


def add_sources(settings: Settings, *sources: str) -> None:
    """Make sources of these senders, with their secrets in files."""
    assert settings.secrets is not None
    for source in sources:
        sender, folder = SENDERS[source], settings.secrets / source
        add(settings, {"name": source, "adapter": sender.adapter, "config": sender.config}, "a test")
        folder.mkdir(parents=True)
        for name, value in sender.secrets.items():
            (folder / name).write_text(value)


def ask(client: Client, source: str, request: Request) -> Answer:
    """The answer to a request of a source's sender."""
    path = f"/hooks/{source}{request.asked}"
    return client.without_key().request(request.method, path, request.body, **request.headers)
