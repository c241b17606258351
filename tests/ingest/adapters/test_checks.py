"""What an operator tells an adapter is held to the form that its sender documents."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingest.adapters.adapter import wrong
from ingest.adapters.registry import ADAPTERS


def other_curve() -> str:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    ("adapter", "name", "value"),
    [
        ("shopify", "shop", "acme.myshopify.com"), ("shopify", "shop", "Acme-2.myshopify.com"),
        ("shopify", "shop", "shop.acme.example"), ("woocommerce", "shop", "shop.example.com"),
        ("woocommerce", "shop", "localhost"), ("stripe", "account", "acct_1M2JTkLkdIwHu7ix"),
        ("wechat", "mode", "aes"), ("wechat", "mode", "plain"), ("wechat", "app_id", "wx2c2769f8efd9abc2"),
    ],
)  # fmt: skip
def test_what_senders_document_may_be_told(adapter: str, name: str, value: str) -> None:
    assert wrong(ADAPTERS[adapter], name, value) is None


@pytest.mark.parametrize(
    ("adapter", "name", "value"),
    [
        ("shopify", "shop", "https://acme.myshopify.com"), ("shopify", "shop", "acme.myshopify.com/"),
        ("shopify", "shop", "acme"), ("shopify", "shop", "a.b c"), ("shopify", "shop", "a" * 64 + ".com"),
        ("woocommerce", "shop", "https://shop.example.com"), ("woocommerce", "shop", "example.com/shop"),
        ("stripe", "account", "whsec_hush"), ("stripe", "account", "sk_test_1"), ("stripe", "account", "acct_"),
        ("wechat", "mode", "AES"), ("wechat", "mode", "secure"), ("wechat", "app_id", "gh_10f6c3c3ac5a"),
        ("wechat", "app_id", "2c2769f8efd9abc2"), ("sendgrid", "public_key", other_curve()),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_hint_and_not_repeated(adapter: str, name: str, value: str) -> None:
    error = wrong(ADAPTERS[adapter], name, value)
    assert error is not None
    assert name in error.what
    assert error.hint
    assert value not in error.what
