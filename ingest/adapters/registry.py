"""Every adapter, explicitly."""

from ingest.adapters.adapter import Adapter

_ALL: tuple[Adapter, ...] = ()
ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
