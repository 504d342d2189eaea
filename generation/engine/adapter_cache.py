"""The adapters that are loaded into one pipeline, least recently used first to go."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from generation.engine.jobs import AdapterNotLoadable, AdapterUse


class AdapterCache:
    """At most `ceiling` adapters stay loaded beside those that the current job needs."""

    def __init__(self, pipe: Any, ceiling: int) -> None:
        self._pipe = pipe
        self._ceiling = ceiling
        self._loaded: OrderedDict[str, None] = OrderedDict()

    def activate(self, adapters: tuple[AdapterUse, ...]) -> None:
        """Make exactly `adapters` act, each at its weight. A weight of 0 is left out, not scaled,
        so the result is that of the bare model to the last bit."""
        acting = [adapter for adapter in adapters if adapter.weight != 0]
        for adapter in acting:
            self._load(adapter)
        self._evict(keep={adapter.name for adapter in acting})
        if acting:
            self._pipe.enable_lora()
            self._pipe.set_adapters([a.name for a in acting], [a.weight for a in acting])
        elif self._loaded:
            self._pipe.disable_lora()

    def _load(self, adapter: AdapterUse) -> None:
        if adapter.name in self._loaded:
            self._loaded.move_to_end(adapter.name)
            return
        try:
            self._pipe.load_lora_weights(
                str(adapter.path.parent),
                weight_name=adapter.path.name,
                adapter_name=adapter.name,
                local_files_only=True,
            )
        except (ValueError, RuntimeError, KeyError, OSError) as error:
            raise AdapterNotLoadable from error
        # A file whose keys match nothing loads without an error and without an effect.
        if not any(adapter.name in names for names in self._pipe.get_list_adapters().values()):
            raise AdapterNotLoadable
        self._loaded[adapter.name] = None

    def _evict(self, *, keep: set[str]) -> None:
        surplus = len(self._loaded) - max(self._ceiling, len(keep))
        for name in [name for name in self._loaded if name not in keep][: max(surplus, 0)]:
            self._pipe.delete_adapters(name)
            del self._loaded[name]
