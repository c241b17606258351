"""Every adapter, explicitly."""

from ingest.adapters import shopify, signed, wechat, wecom
from ingest.adapters.adapter import Adapter

_ALL: tuple[Adapter, ...] = (shopify.ADAPTER, wechat.ADAPTER, wecom.ADAPTER, signed.ADAPTER)
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
