"""What the engine is asked for a request, and how it is waited for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from threading import Lock, Thread

from django.conf import settings
from django.db import connection

from adapters.models import BaseModel
from config.core.errors import ProofsheetError
from generation.conditions import init_images
from generation.engine.jobs import AdapterUse, Inpainting, Rendered, RenderJob, Source, StepReport
from generation.engine.loop.engine import RenderHandle
from generation.hardware import devices
from generation.line import claims
from generation.live import drawing
from generation.models import GenerationRequest, RequestAdapter
from generation.progress import previews
from generation.request_rules import priority_classes
from generation.work import adapter_files
from generation.work.drain import drain
from generation.work.lease import Lease
from generation.work.partial_images import PartialImages

_prefetching = Lock()


def submit(
    request: GenerationRequest,
    adapters: Iterable[RequestAdapter],
    source: init_images.Loaded | None,
    *,
    shown_prompt: str | None = None,
) -> dict[int, RenderHandle]:
    """The images that the request still lacks, by their places, all handed to the engine. What
    would look like the picture of `shown_prompt` raises Unchanged where it is waited for."""
    engine = devices.engine_for(request.model)
    first = _job(request, adapters, source, shown_prompt)
    return {
        index: engine.submit(replace(first, seed=request.seed_of(index)))
        for index in request.outstanding()
    }


def prefetch_next(request: GenerationRequest) -> None:
    """Begin to fetch the adapters of those that wait, beside what is denoised and published."""
    rows = claims.adapters_of_next(request.model_id)
    connection.close()  # back to the pool: one that idles through a render may be dead after it
    if rows and _prefetching.acquire(blocking=False):
        Thread(target=_prefetch, args=(request.model, rows), daemon=True).start()


def _prefetch(model: BaseModel, rows: Iterable[RequestAdapter]) -> None:
    try:
        for row in rows:
            with suppress(ProofsheetError):  # told when its own turn comes
                devices.engine_for(model).prefetch([_use(row)])
    finally:
        _prefetching.release()


def wait(
    request: GenerationRequest,
    handle: RenderHandle,
    all_of_it: Collection[RenderHandle],
    lease: Lease,
) -> Rendered:
    """The pixels of `handle`; its page is told of every step. Raises Cancelled, and whatever the
    engine could not do."""
    shown = PartialImages(request) if handle is next(iter(all_of_it)) else None

    def report(step: StepReport) -> None:
        done = sum(handle.step for handle in all_of_it)
        total = sum(handle.total for handle in all_of_it)
        previews.tell(request, previews.RenderProgress("denoise", done, total, step.preview))
        if shown is not None and not request.is_live:
            shown.offer(step)

    def should_stop() -> bool:
        is_stale = request.is_live and drawing.is_stale(request)
        return drain.is_over or lease.should_stop() or is_stale

    return handle.wait(on_step=report, should_stop=should_stop)


def _job(
    request: GenerationRequest,
    adapters: Iterable[RequestAdapter],
    source: init_images.Loaded | None,
    shown_prompt: str | None,
) -> RenderJob:
    return RenderJob(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        steps=request.steps,
        guidance=request.guidance,
        guidance_rescale=request.guidance_rescale,
        seed=request.seed,
        width=request.width,
        height=request.height,
        native_size=request.model.native_size,
        adapters=tuple(_use(row) for row in adapters),
        is_interactive=priority_classes.name_of(request.priority) == "interactive",
        timeout_s=settings.PROOFSHEET_RENDER_TIMEOUT_S,
        source=_source(source) if source else None,
        shown_prompt=shown_prompt,
    )


def _source(loaded: init_images.Loaded) -> Source:
    mask = loaded.mask
    if mask is None:
        return Source(loaded.pixels, loaded.strength)
    inpainting = Inpainting(mask.levels, mask.fill, mask.padding)
    return Source(loaded.pixels, loaded.strength, inpainting)


def _use(row: RequestAdapter) -> AdapterUse:
    return AdapterUse(row.sha256, adapter_files.path_of(row.adapter), row.weight)
