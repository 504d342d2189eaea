"""Checks an upload on a CPU worker: quarantine, verdict, canonical form, stored or rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import mean
from uuid import UUID

from django.db import transaction

from adapters.access import visibility
from adapters.base_models import inspection_base
from adapters.checks import inspection, rewrite
from adapters.checks.inspection import Base
from adapters.checks.rewrite import TensorSource
from adapters.formats import safetensors_header as headers
from adapters.formats.detection import recognise
from adapters.formats.file_verdicts import FileRefused
from adapters.models import Adapter, BaseModel
from adapters.uploads import check_progress, check_results, quarantine
from config.core import disk_full
from config.core.disk_full import StorageFull
from config.core.storage import StorageAway, local_copy

Clock = Callable[[], datetime]


class NoModelHere(FileRefused, code="no_model_here"):
    """A sound adapter of a family of which no model is registered."""


def validate(adapter_id: UUID, *, now: Clock) -> None:
    """Judge one upload and store what is accepted. Does nothing for one that is judged already."""
    adapter = _claim(adapter_id)
    if adapter is None:
        return
    with _judged(adapter, now=now) as draft, local_copy(str(adapter.original.name)) as path:
        _validate(adapter, path, draft, now=now)


@contextmanager
def _judged(adapter: Adapter, *, now: Clock) -> Iterator[Path]:
    """With a file of this host to write to. While the storage is away or full nothing is judged:
    `send_again` has it checked later.
    """
    draft = quarantine.new_draft()
    try:
        with disk_full.writing():
            yield draft
    except (StorageAway, StorageFull):
        check_progress.end(adapter.id)
    except Exception:
        check_results.give_up(adapter.id, now=now)
        raise
    finally:
        draft.unlink(missing_ok=True)


def _validate(adapter: Adapter, path: Path, draft: Path, *, now: Clock) -> None:
    model = adapter.base_model or _model_that_fits(path)
    base = inspection_base.of_model(model) if model else None
    found = inspection.inspect(
        path, base=base, sha256=adapter.sha256, progress=check_progress.teller(adapter.id, "read")
    )
    report = found.report
    if report.accepted and model is None:
        refusal = NoModelHere(message=f"{report.message} But no such model is registered here.")
        report.accepted, report.code = False, refusal.code
        report.message, report.advice = refusal.message, refusal.advice
    if not report.accepted or model is None:
        check_results.reject(adapter, found, model, at=now())
        return
    made = rewrite.write(
        TensorSource.of(path, found),
        draft,
        progress=check_progress.teller(adapter.id, "write"),
    )
    check_results.accept(
        adapter, made, model, report.as_stored(), original=str(adapter.original.name), at=now()
    )


def fit(adapter_id: UUID, *, now: Clock) -> None:
    """Make a derived adapter out of its parent, at the model's rank ceiling."""
    adapter = _claim(adapter_id)
    if adapter is None or adapter.parent is None or adapter.base_model is None:
        return
    parent, model = adapter.parent, adapter.base_model
    with _judged(adapter, now=now) as draft, local_copy(str(parent.original.name)) as path:
        _fit(adapter, path, draft, parent, model, now=now)


def _fit(
    adapter: Adapter, path: Path, draft: Path, parent: Adapter, model: BaseModel, *, now: Clock
) -> None:
    base = inspection_base.of_model(model)
    found = inspection.inspect(path, base=Base(base.name, base.layout), sha256=parent.sha256)
    if not found.report.accepted:  # the parent was refused for its rank before it was read
        check_results.reject(adapter, found, model, at=now())
        return
    source, rank = TensorSource.of(path, found), model.rank_ceiling
    made = rewrite.write(
        source, draft, rank=rank, progress=check_progress.teller(adapter.id, "fit")
    )
    report = inspection.inspect(made.path, base=base, sha256=made.sha256).report.as_stored()
    kept = {**dict.fromkeys(report["rank"]["by_module"], 1.0), **made.kept}
    report["kept"] = {
        "min": min(kept.values()),
        "mean": round(mean(kept.values()), 6),
        "by_module": made.kept,
    }
    check_results.accept(adapter, made, model, report, original="", at=now())


def _claim(adapter_id: UUID) -> Adapter | None:
    with transaction.atomic():
        found = Adapter.objects.select_for_update(of=("self",))
        adapter = found.select_related("base_model", "parent").filter(id=adapter_id).first()
        if adapter is None or not adapter.is_on_its_way:
            return None
        if adapter.state == Adapter.State.VALIDATING and check_progress.read(adapter_id):
            return None  # a doubled ticket: another worker is at it
        adapter.start_validating()
        check_progress.tell_stage(adapter_id, "read", 0, 1)
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
