"""Synthetic hooks, drawn by a seed: shaped as their senders document them, and signed by the documented rules.

Labelled so by their shop, page and addresses, which are nobody's. What verifies them is in `SECRETS` and `hooks.yaml`.
"""

import hashlib
import hmac
import random
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256

from bench.messages import AGENTS, browsed, customer

AT = 1_790_000_000
"""When what is told of has happened, Unix s. Signatures are of now."""
DRAWN = partial(random.Random, 7)
SHOP, APP, PAGE = "bench.myshopify.com", "wx0000000000bench", "100000000000001"
SECRET = "a-secret-of-benchmarks"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
MAIL_KEY = ec.derive_private_key(20_260_701, ec.SECP256R1())
"""Its public half is in `hooks.yaml`."""
SECRETS = {
    "shopify": {"secret": SECRET},
    "woocommerce": {"secret": SECRET},
    "stripe": {"secret": SECRET},
    "meta": {"app_secret": SECRET, "verify_token": SECRET},
    "sendgrid": {},
    "wechat": {"token": SECRET, "aes_key": AES_KEY},
    "signed": {"signing_secret": SECRET},
}
"""Of each adapter."""
MAILED = ("delivered", "open", "click", "click")


class Sent(NamedTuple):
    """One request, signed."""

    body: bytes
    headers: dict[str, str]
    query: dict[str, str]

    @property
    def target(self) -> str:
        """What comes after the path."""
        return f"?{urlencode(self.query)}" if self.query else ""


def shopify(drawn: random.Random, numbers: range, _: int) -> Sent:
    """A paid order of two lines, of the fields that the documentation's sample has: 3.5 KB."""
    body = orjson.dumps(_order(drawn, numbers[0]))
    signed = {"X-Shopify-Hmac-Sha256": b64encode(_mac(body)).decode()}
    return Sent(body, {"X-Shopify-Topic": "orders/paid", "X-Shopify-Shop-Domain": SHOP, **signed}, {})


def woocommerce(drawn: random.Random, numbers: range, _: int) -> Sent:
    """A paid order of two lines, of the fields that the documentation's sample has: 1.8 KB."""
    body = orjson.dumps(_woo_order(drawn, numbers[0]))
    signed = {"X-WC-Webhook-Signature": b64encode(_mac(body)).decode()}
    return Sent(body, {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Resource": "order", **signed}, {})


def stripe(drawn: random.Random, numbers: range, now: int) -> Sent:
    """A charge of no payment intent, which is an order of its own."""
    number, who = numbers[0], customer(drawn)
    charge = {
        "id": f"ch_{number:024}", "object": "charge", "amount": 2198, "amount_captured": 2198, "amount_refunded": 0,
        "balance_transaction": f"txn_{number:024}", "captured": True, "created": AT + number, "currency": "eur",
        "billing_details": {
            "address": {"city": "Berlin", "country": "DE", "line1": None, "postal_code": "10115", "state": None},
            "email": f"k{who}@shop.example", "name": "A Customer", "phone": None,
        },
        "customer": f"cus_{who:014}", "description": None, "disputed": False, "failure_code": None, "invoice": None,
        "livemode": False, "metadata": {"cart": str(number)}, "paid": True, "payment_intent": None,
        "outcome": {"network_status": "approved_by_network", "risk_level": "normal", "type": "authorized"},
        "payment_method": f"pm_{who:024}", "receipt_email": None, "refunded": False, "status": "succeeded",
    }  # fmt: skip
    event = {"id": f"evt_{number:024}", "object": "event", "type": "charge.succeeded", "created": AT + number}
    body = orjson.dumps({**event, "api_version": "2026-06-24", "data": {"object": charge}, "livemode": False})
    return Sent(body, {"Stripe-Signature": _stamped(body, now)}, {})


def meta(drawn: random.Random, numbers: range, _: int) -> Sent:
    """Comments on a page, an entry each."""
    body = orjson.dumps({"object": "page", "entry": [_comment(drawn, number) for number in numbers]})
    return Sent(body, {"X-Hub-Signature-256": f"sha256={_mac(body).hex()}"}, {})


def sendgrid(drawn: random.Random, numbers: range, now: int) -> Sent:
    """What became of mails: half of it clicks, of which alone enrichment reads anything."""
    body, stamp = orjson.dumps([_mail(drawn, number) for number in numbers]), str(now)
    signature = b64encode(MAIL_KEY.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    name = "X-Twilio-Email-Event-Webhook"
    return Sent(body, {f"{name}-Signature": signature, f"{name}-Timestamp": stamp}, {})


def wechat(drawn: random.Random, numbers: range, now: int) -> Sent:
    """A follower's text, in plain mode."""
    return Sent(_text(drawn, numbers[0]), {}, _asked(now))


def wechat_aes(drawn: random.Random, numbers: range, now: int) -> Sent:
    """The same, encrypted."""
    message = _text(drawn, numbers[0])
    plain = drawn.randbytes(16) + struct.pack(">I", len(message)) + message + APP.encode()
    missing = 32 - len(plain) % 32
    key = b64decode(AES_KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = b64encode(encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()).decode()
    body = f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    asked = _asked(now)
    signature = _sha1(SECRET, asked["timestamp"], asked["nonce"], sealed)
    return Sent(body.encode(), {}, {**asked, "encrypt_type": "aes", "msg_signature": signature})


def signed(drawn: random.Random, numbers: range, now: int) -> Sent:
    """Segment's messages of a browser, under a signature."""
    sent = [browsed(drawn, number) for number in numbers]
    body = orjson.dumps(sent[0] if len(sent) == 1 else {"batch": sent})
    return Sent(body, {"X-Cdp-Signature": _stamped(body, now)}, {})


Make = Callable[[random.Random, range, int], Sent]
SENDERS: dict[str, Make] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "stripe": stripe,
    "meta": meta,
    "sendgrid": sendgrid,
    "sendgrid-all": sendgrid,
    "wechat": wechat,
    "wechat-aes": wechat_aes,
    "signed": signed,
    "signed-all": signed,
}
"""What each source of `hooks.yaml` is sent: one request of these events, signed at an instant, Unix s."""


def webhooks(source: str, batch: int, events: int, now: int) -> Iterator[Sent]:
    """Requests of `batch` events each, all of them distinct."""
    drawn = DRAWN()
    for start in range(0, events, batch):
        yield SENDERS[source](drawn, range(start, start + batch), now)


def _mac(body: bytes) -> bytes:
    return hmac.digest(SECRET.encode(), body, "sha256")


def _stamped(body: bytes, now: int) -> str:
    return f"t={now},v1={_mac(f'{now}.'.encode() + body).hex()}"


def _sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def _asked(now: int) -> dict[str, str]:
    return {"timestamp": str(now), "nonce": "486452656", "signature": _sha1(SECRET, str(now), "486452656")}


def _money(amount: str) -> dict[str, dict[str, str]]:
    money = {"amount": amount, "currency_code": "EUR"}
    return {"shop_money": money, "presentment_money": money}


def _order(drawn: random.Random, number: int) -> dict[str, Any]:
    who, at = customer(drawn), "2026-09-20T09:00:00-04:00"
    mail = f"k{who}@shop.example"
    place = {"first_name": "A", "last_name": "Customer", "address1": "A Street 1", "phone": None, "city": "Berlin",
             "zip": "10115", "province": None, "country": "Germany", "country_code": "DE"}  # fmt: skip
    return {
        "id": 820_000_000_000 + number, "admin_graphql_api_id": f"gid://shopify/Order/{820_000_000_000 + number}",
        "buyer_accepts_marketing": True, "cancel_reason": None, "cancelled_at": None, "cart_token": None,
        "checkout_id": None, "closed_at": None, "confirmed": True, "contact_email": mail, "created_at": at,
        "currency": "EUR", "current_total_price": "398.00", "current_total_price_set": _money("398.00"),
        "customer_locale": "en", "discount_codes": [], "email": mail, "financial_status": "paid",
        "fulfillment_status": None, "name": f"#{number}", "note": None, "note_attributes": [], "order_number": number,
        "payment_gateway_names": ["visa"], "phone": None, "presentment_currency": "EUR", "processed_at": at,
        "source_name": "web", "subtotal_price": "388.00", "subtotal_price_set": _money("388.00"), "tags": "synthetic",
        "taxes_included": False, "test": True, "total_discounts": "20.00", "total_discounts_set": _money("20.00"),
        "total_outstanding": "0.00", "total_price": "398.00", "total_price_set": _money("398.00"),
        "total_tax": "0.00", "total_tax_set": _money("0.00"), "updated_at": at, "user_id": None,
        "billing_address": place, "shipping_address": place, "fulfillments": [], "refunds": [],
        "customer": {"id": 115_000_000_000 + who, "email": mail, "created_at": None, "updated_at": None,
                     "first_name": "A", "last_name": "Customer", "state": "disabled", "note": None, "phone": None,
                     "verified_email": True, "currency": "EUR", "tax_exempt": False, "default_address": place},
        "line_items": [
            {"id": 2 * number + line, "product_id": 632_910 + line, "variant_id": 808_950 + line, "sku": f"SKU-{line}",
             "title": "An album", "name": "An album", "quantity": 1, "price": "199.00", "price_set": _money("199.00"),
             "taxable": True, "total_discount": "0.00", "total_discount_set": _money("0.00"), "vendor": None,
             "properties": [], "tax_lines": []}
            for line in (0, 1)
        ],
        "shipping_lines": [{"id": number, "code": None, "price": "10.00", "title": "Generic Shipping"}],
    }  # fmt: skip


def _woo_order(drawn: random.Random, number: int) -> dict[str, Any]:
    who, at = customer(drawn), "2026-09-20T19:28:02"
    place = {"first_name": "A", "last_name": "Customer", "company": "", "address_1": "A Street 1", "address_2": "",
             "city": "Berlin", "state": "", "postcode": "10115", "country": "DE"}  # fmt: skip
    return {
        "id": 1_000_000 + number, "parent_id": 0, "number": str(1_000_000 + number),
        "order_key": f"wc_order_{number:011x}",
        "created_via": "checkout", "version": "9.4.0", "status": "processing", "currency": "EUR", "date_created": at,
        "date_created_gmt": at, "date_modified": at, "date_modified_gmt": at, "discount_total": "0.00",
        "discount_tax": "0.00", "shipping_total": "10.00", "shipping_tax": "0.00", "cart_tax": "0.00",
        "total": "398.00", "total_tax": "0.00", "prices_include_tax": False, "customer_id": 1 + who,
        "customer_ip_address": "", "customer_user_agent": "", "customer_note": "", "shipping": place,
        "billing": {**place, "email": f"k{who}@shop.example", "phone": ""},
        "payment_method": "bacs", "payment_method_title": "Direct Bank Transfer", "transaction_id": "", "date_paid": at,
        "date_paid_gmt": at, "date_completed": None, "date_completed_gmt": None, "cart_hash": "", "meta_data": [],
        "line_items": [
            {"id": 2 * number + line, "name": "An album", "product_id": 632_910 + line, "variation_id": 0,
             "quantity": 1, "tax_class": "", "subtotal": "194.00", "subtotal_tax": "0.00", "total": "194.00",
             "total_tax": "0.00", "taxes": [], "meta_data": [], "sku": f"SKU-{line}", "price": 194}
            for line in (0, 1)
        ],
        "shipping_lines": [{"id": number, "method_title": "Flat Rate", "method_id": "flat_rate", "total": "10.00"}],
        "tax_lines": [], "fee_lines": [], "coupon_lines": [], "refunds": [],
    }  # fmt: skip


def _comment(drawn: random.Random, number: int) -> dict[str, Any]:
    post = f"{PAGE}_{number % 50}"
    value = {
        "item": "comment", "verb": "add", "from": {"id": str(10**15 + customer(drawn)), "name": "A Follower"},
        "message": "When will it be there again?", "post_id": post, "comment_id": f"{post}_{number}",
        "parent_id": post, "created_time": AT + number, "post": {"id": post, "type": "status", "is_published": True},
    }  # fmt: skip
    return {"id": PAGE, "time": AT + number, "changes": [{"field": "feed", "value": value}]}


def _mail(drawn: random.Random, number: int) -> dict[str, Any]:
    kind, who = drawn.choice(MAILED), customer(drawn)
    about = {
        "email": f"k{who}@shop.example", "timestamp": AT + number, "smtp-id": f"<{number}@ismtpd-bench>", "event": kind,
        "category": ["spring"], "sg_event_id": f"ZXZlbnQ-{number:016}", "sg_message_id": f"{number:016}.filter-bench",
    }  # fmt: skip
    ip = {"ip": f"203.0.{who % 256}.{who // 256}"}
    if kind == "delivered":
        return {**about, **ip, "response": "250 OK"}
    clicked = {"url": f"https://shop.example/{number % 2_000}"} if kind == "click" else {}
    return {**about, **ip, "useragent": drawn.choice(AGENTS), **clicked}


def _text(drawn: random.Random, number: int) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName>"
        f"<FromUserName><![CDATA[o-bench-{customer(drawn):019}]]></FromUserName>"
        f"<CreateTime>{AT + number}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[When will it be there again?]]></Content><MsgId>{10**15 + number}</MsgId></xml>"
    ).encode()
