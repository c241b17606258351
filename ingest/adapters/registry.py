"""Every adapter, explicitly."""

from ingest.adapters import meta, sendgrid, shopify, signed, stripe, wechat, wecom, woocommerce
from ingest.adapters.adapter import Adapter

_ALL: tuple[Adapter, ...] = (
    meta.ADAPTER,
    sendgrid.ADAPTER,
    shopify.ADAPTER,
    stripe.ADAPTER,
    woocommerce.ADAPTER,
    wechat.ADAPTER,
    wecom.ADAPTER,
    signed.ADAPTER,
)
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
