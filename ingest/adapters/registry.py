"""Every adapter, explicitly."""

from ingest.adapters import shopify, wechat
from ingest.adapters.adapter import Adapter

_ALL: tuple[Adapter, ...] = (shopify.ADAPTER, wechat.ADAPTER)
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
