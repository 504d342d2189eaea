"""The models that this worker process has loaded, and whose turn it is on its device."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from types import TracebackType

from django.conf import settings

from adapters.models import BaseModel
from generation.engine.jobs import ModelNotLoadable
from generation.engine.pipeline import Pipeline

MODELS_CEILING = 2
ADAPTERS_CEILING = 8

_device = Lock()
_loaded: OrderedDict[tuple[str, str], Pipeline] = OrderedDict()
_recent: OrderedDict[str, None] = OrderedDict()


class Turn:
    """Holds the device from the claim until the pixels are there. `end` early, so that the next
    request denoises while this one is marked, screened and stored."""

    def __init__(self) -> None:
        self._is_held = False

    def __enter__(self) -> Turn:
        _device.acquire()
        self._is_held = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        if self._is_held:
            self._is_held = False
            _device.release()


def pipeline_for(model: BaseModel) -> Pipeline:
    """The loaded pipeline of `model`; call it during a `Turn`. Raises ModelNotLoadable."""
    key = (str(model.path), model.digest)
    if key not in _loaded:
        _loaded[key] = _load(model.path)
    _loaded.move_to_end(key)
    while len(_loaded) > MODELS_CEILING:
        _loaded.popitem(last=False)
    return _loaded[key]


def remember_adapters(digests: list[str]) -> None:
    """Note what the last job used: about what the pipelines still hold. Call it during a `Turn`."""
    for digest in digests:
        _recent.pop(digest, None)
        _recent[digest] = None
    while len(_recent) > ADAPTERS_CEILING:
        _recent.popitem(last=False)


def resident_adapters() -> frozenset[str]:
    """Digests of adapters that need not be loaded again. Call it during a `Turn`."""
    return frozenset(_recent)


def forget_models() -> None:
    """Drop every loaded model, as a restart of the process would."""
    with _device:
        _loaded.clear()
        _recent.clear()


def _load(folder: Path) -> Pipeline:
    if not (folder / "model_index.json").is_file():
        raise ModelNotLoadable
    return Pipeline.load(
        folder,
        adapters_ceiling=ADAPTERS_CEILING,
        threads=settings.PROOFSHEET_TORCH_THREADS,
        device=settings.PROOFSHEET_DEVICE,
    )
