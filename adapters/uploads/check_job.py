"""Checks an upload on a CPU worker: quarantine, verdict, canonical form, stored or rejected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import mean
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from adapters.access import visibility
from adapters.base_models import inspection_base
from adapters.checks import inspection, rewrite
from adapters.checks.inspection import Base, Inspection
from adapters.checks.rewrite import Canonical, TensorSource
from adapters.checks.weight_scan import Progress
from adapters.formats import safetensors_header as headers
from adapters.formats.detection import recognise
from adapters.formats.file_verdicts import VERDICTS, FileRefused
from adapters.models import Adapter, BaseModel
from adapters.uploads import quarantine
from config.core.storage import local_copy

Clock = Callable[[], datetime]
PROGRESS_SECONDS = 120  # after so long without a word a check counts as lost


class NoModelHere(FileRefused, code="no_model_here"):
    """A sound adapter of a family of which no model is registered."""


def validate(adapter_id: UUID, *, now: Clock) -> None:
    """Judge one upload and store what is accepted. Does nothing for one that is judged already."""
    adapter = _claim(adapter_id)
    if adapter is None:
        return
    try:
        with local_copy(str(adapter.original.name)) as path:
            _validate(adapter, path, now=now)
    except Exception:
        _give_up(adapter.id, now=now)
        raise


def _validate(adapter: Adapter, path: Path, *, now: Clock) -> None:
    model = adapter.base_model or _model_that_fits(path)
    base = inspection_base.of_model(model) if model else None
    found = inspection.inspect(
        path, base=base, sha256=adapter.sha256, progress=_teller(adapter.id, "read")
    )
    report = found.report
    if report.accepted and model is None:
        refusal = NoModelHere(message=f"{report.message} But no such model is registered here.")
        report.accepted, report.code = False, refusal.code
        report.message, report.advice = refusal.message, refusal.advice
    if not report.accepted or model is None:
        _reject(adapter, found, model, at=now())
        return
    made = rewrite.write(_source(path, found), _draft(), progress=_teller(adapter.id, "write"))
    _accept(adapter, made, model, report.as_stored(), original=str(adapter.original.name), at=now())


def fit(adapter_id: UUID, *, now: Clock) -> None:
    """Make a derived adapter out of its parent, at the model's rank ceiling."""
    adapter = _claim(adapter_id)
    if adapter is None or adapter.parent is None or adapter.base_model is None:
        return
    try:
        with local_copy(str(adapter.parent.original.name)) as path:
            _fit(adapter, path, adapter.parent, adapter.base_model, now=now)
    except Exception:
        _give_up(adapter.id, now=now)
        raise


def _fit(adapter: Adapter, path: Path, parent: Adapter, model: BaseModel, *, now: Clock) -> None:
    base = inspection_base.of_model(model)
    found = inspection.inspect(path, base=Base(base.name, base.layout), sha256=parent.sha256)
    if not found.report.accepted:  # the parent was refused for its rank before it was read
        _reject(adapter, found, model, at=now())
        return
    source, rank = _source(path, found), model.rank_ceiling
    made = rewrite.write(source, _draft(), rank=rank, progress=_teller(adapter.id, "fit"))
    report = inspection.inspect(made.path, base=base, sha256=made.sha256).report.as_stored()
    kept = {**dict.fromkeys(report["rank"]["by_module"], 1.0), **made.kept}
    report["kept"] = {
        "min": min(kept.values()),
        "mean": round(mean(kept.values()), 6),
        "by_module": made.kept,
    }
    _accept(adapter, made, model, report, original="", at=now())


def progress_of(adapter_id: UUID) -> dict[str, Any] | None:
    """{"stage", "done", "total"} of a running check, or None."""
    told: dict[str, Any] | None = cache.get(_key(adapter_id))
    return told


def _claim(adapter_id: UUID) -> Adapter | None:
    with transaction.atomic():
        found = Adapter.objects.select_for_update(of=("self",))
        adapter = found.select_related("base_model", "parent").filter(id=adapter_id).first()
        if adapter is None or not adapter.is_on_its_way:
            return None
        if adapter.state == Adapter.State.VALIDATING and progress_of(adapter_id):
            return None  # a doubled ticket: another worker is at it
        adapter.start_validating()
        _tell(adapter_id, "read", 0, 1)
    return adapter


def _model_that_fits(path: Path) -> BaseModel | None:
    """The first active model whose layers the file names, every one in its size."""
    try:
        header = headers.read_file(path)
    except FileRefused:
        return None
    for model in visibility.active_models():
        if recognise(header, base=inspection_base.of_model(model).layout).best.is_whole:
            return model
    return None


def _source(path: Path, found: Inspection) -> TensorSource:
    if found.header is None or not found.modules:
        raise ValueError("the file was refused before its modules were known")
    return TensorSource(path, found.header, found.modules)


def _draft() -> Path:
    return quarantine.path_of(quarantine.new_name())


def _accept(
    adapter: Adapter,
    made: Canonical,
    model: BaseModel,
    report: dict[str, Any],
    *,
    original: str,
    at: datetime,
) -> None:
    draft = f"{quarantine.FOLDER}/{made.path.name}"
    file = quarantine.move(draft, f"adapters/{made.sha256}.safetensors")
    if original:
        original = quarantine.move(original, f"adapters/{adapter.sha256}.original.safetensors")
    with transaction.atomic():
        row = _locked(adapter.id)
        if row is None:
            return  # withdrawn meanwhile
        row.original = original
        if not original:
            row.sha256, row.size_bytes = made.sha256, made.size_bytes
        row.accept(
            base_model=model,
            rank=made.rank,
            file=file,
            content_sha256=made.content_sha256,
            report=report,
            at=at,
        )
    cache.delete(_key(adapter.id))


def _reject(adapter: Adapter, found: Inspection, model: BaseModel | None, *, at: datetime) -> None:
    """Keeps the file only where it can still be fitted."""
    report = found.report
    original = str(adapter.original.name)
    if report.code == "rank_too_high":
        original = quarantine.move(original, f"adapters/{adapter.sha256}.original.safetensors")
    else:
        quarantine.discard(original)
        original = ""
    with transaction.atomic():
        row = _locked(adapter.id)
        if row is None:
            return
        row.original = original
        if report.code == "rank_too_high":
            row.base_model, row.rank = model, report.rank
        row.reject(code=report.code or "", report=report.as_stored(), at=at)
    cache.delete(_key(adapter.id))


def _give_up(adapter_id: UUID, *, now: Clock) -> None:
    """The check itself failed: say so rather than leave it waiting for ever."""
    verdict = VERDICTS["check_failed"]
    report = {"accepted": False, "code": verdict.code, "message": verdict.wrong}
    with transaction.atomic():
        row = _locked(adapter_id)
        if row is not None:
            advice = {"advice": verdict.advice}
            row.reject(code=verdict.code, report=report | advice, at=now())
    cache.delete(_key(adapter_id))


def _locked(adapter_id: UUID) -> Adapter | None:
    """The row if it is still being validated."""
    return (
        Adapter.objects.select_for_update()
        .filter(id=adapter_id, state=Adapter.State.VALIDATING)
        .first()
    )


def _teller(adapter_id: UUID, stage: str) -> Progress:
    """Reports at most a hundred times, whatever the number of tensors."""
    last = -1

    def tell(done: int, total: int) -> None:
        nonlocal last
        percent = 100 * done // total if total else 100
        if percent > last:
            last = percent
            _tell(adapter_id, stage, done, total)

    return tell


def _tell(adapter_id: UUID, stage: str, done: int, total: int) -> None:
    told = {"stage": stage, "done": done, "total": total}
    cache.set(_key(adapter_id), told, PROGRESS_SECONDS)


def _key(adapter_id: UUID) -> str:
    return f"adapters:check:{adapter_id}"
