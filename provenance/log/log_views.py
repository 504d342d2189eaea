"""The log as anybody may read it: checkpoints, subtrees (C2SP tlog-tiles), entries and proofs."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from config.core.pages import public_page
from provenance.log import freshness, proofs, static_api

IMMUTABLE = "public, max-age=31536000, immutable"


def _read_by_anybody(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A public page that changes nothing: another method is told so, and not asked for a token."""
    return csrf_exempt(require_safe(public_page(view)))


@_read_by_anybody
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Monitors and witnesses get the newest signed head, with cosignatures, as a signed note."""
    note = freshness.latest_note()
    response = HttpResponse(note, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@_read_by_anybody
def log_keys(request: HttpRequest) -> HttpResponse:
    """The log's verifier keys (C2SP signed-note), one a line, the newest first."""
    lines = "".join(f"{key}\n" for key in proofs.verifier_keys())
    response = HttpResponse(lines, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@_read_by_anybody
def hash_tile(
    request: HttpRequest, level: str, number: str, width: str | None = None
) -> HttpResponse:
    """Monitors get 1 to 256 digests of one level (C2SP tlog-tiles), 32 bytes each."""
    wide = int(width) if width else static_api.WIDTH
    return _tile(static_api.hash_tile(int(level), static_api.number_from_path(number), wide))


@_read_by_anybody
def entry_bundle(request: HttpRequest, number: str, width: str | None = None) -> HttpResponse:
    """Monitors get the bytes of 1 to 256 entries, each after its length in two bytes."""
    wide = int(width) if width else static_api.WIDTH
    return _tile(static_api.entry_bundle(static_api.number_from_path(number), wide))


def _tile(data: bytes) -> HttpResponse:
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Cache-Control"] = IMMUTABLE
    return response


@_read_by_anybody
def log_entry(request: HttpRequest, index: int) -> HttpResponse:
    """Anybody reads one entry of the log with its proof."""
    return render(request, "provenance/log_entry.html", {"entry": proofs.describe(index)})


@_read_by_anybody
def asset_proof(request: HttpRequest, asset_id: UUID) -> HttpResponse:
    """Whoever has a picture downloads the `.tlog-proof` of its entry."""
    text = proofs.of_asset(asset_id)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{asset_id}.tlog-proof"'
    return response
