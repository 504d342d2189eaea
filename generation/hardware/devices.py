"""The models that this worker process has loaded, and the permits to its device."""

from __future__ import annotations

import gc
from collections import Counter, OrderedDict
from threading import Condition, Lock
from types import TracebackType

from django.conf import settings

from adapters.models import BaseModel
from generation.engine.jobs import ModelNotLoadable
from generation.engine.loop.engine import Engine, is_gpu
from generation.hardware import memory_plans
from generation.hardware.worker_processes import PERMITS, RESERVED

MODELS_CEILING = 2

_loading = Lock()
_lock = Lock()
_loaded: OrderedDict[tuple[str, str], Engine] = OrderedDict()


class DevicePermits:
    """How many requests of this worker may be on the device at once; the last ones are reserved.

    `passed_over` are the queues of tickets that found only a reserved one: whoever frees another
    must look whether somebody still waits there.
    """

    def __init__(self, count: int, reserved: int) -> None:
        self._open = count - reserved
        self._reserved = reserved
        self._changed = Condition()
        self.passed_over = set[str]()

    def take(self) -> bool:
        """Wait for a permit; whether it is a reserved one."""
        with self._changed:
            self._changed.wait_for(lambda: self._open or self._reserved)
            if self._open:
                self._open -= 1
                return False
            self._reserved -= 1
            return True

    def give_back(self, *, is_reserved: bool) -> None:
        with self._changed:
            if is_reserved:
                self._reserved += 1
            else:
                self._open += 1
            self._changed.notify()


permits = DevicePermits(PERMITS, RESERVED)


class DevicePermit:
    """Held from the claim until the pixels are there. `end` early, so that another request denoises
    while this one is marked, screened and stored."""

    def __init__(self) -> None:
        self._is_held = False
        self.is_reserved = False

    def __enter__(self) -> DevicePermit:
        self.is_reserved = permits.take()
        self._is_held = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> bool:
        """Give the permit back; false when it was back already."""
        was_held, self._is_held = self._is_held, False
        if was_held:
            permits.give_back(is_reserved=self.is_reserved)
        return was_held


def engine_for(model: BaseModel) -> Engine:
    """The engine that serves `model`, loaded once however many ask. Raises ModelNotLoadable."""
    key = (str(model.path), model.digest)
    if (engine := _find(key)) is not None:
        return engine
    with _loading:
        if (engine := _find(key)) is not None:
            return engine
        engine = _load(model)
        with _lock:
            _loaded[key] = engine
            dropped = [_loaded.popitem(last=False) for _ in range(len(_loaded) - MODELS_CEILING)]
        if dropped:
            dropped.clear()
            _free()
    return engine


def _free() -> None:
    """Give back the memory of dropped models at once. They are full of cycles, and one that was
    loaded before the first ticket is among what collections leave out."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _find(key: tuple[str, str]) -> Engine | None:
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
        return _loaded.get(key)


def resident_adapters() -> frozenset[str]:
    """Digests of the adapters that are in a slot now."""
    with _lock:
        engines = list(_loaded.values())
    return frozenset[str]().union(*(engine.resident_adapters for engine in engines))


def vitals() -> dict[str, int]:
    """What the engines of this worker hold and have done since it started, for operators."""
    with _lock:
        engines = list(_loaded.values())
    total: Counter[str] = Counter()
    for engine in engines:
        total.update(engine.vitals())
    return dict(total)


def _load(model: BaseModel) -> Engine:
    """Raises ModelNotLoadable, and ModelTooLarge before anything is loaded."""
    if not (model.path / "model_index.json").is_file():
        raise ModelNotLoadable
    memory_plans.require_room(model)
    return Engine.load(
        model.path,
        settings=memory_plans.serving(model, on_gpu=is_gpu(settings.PROOFSHEET_DEVICE)),
        threads=settings.PROOFSHEET_TORCH_THREADS,
        device=settings.PROOFSHEET_DEVICE,
    )
