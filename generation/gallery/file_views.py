"""The files of own images: one in a format, one small, the ticked ones in an archive."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from config.core.pages import SignedIn, page, private_file
from generation.gallery import own_images, picture_files
from generation.gallery.gallery_forms import FRAMES_A_SHEET, ticked
from generation.models import GeneratedImage
from provenance.assets import transcode
from provenance.pictures.decoder import Mime


@require_safe
@page
def image_file(request: SignedIn, image_id: UUID) -> HttpResponseBase:
    """The bytes of a released image, for its owner alone; reviewers reveal one on its case."""
    found = own_images.find_released_image(image_id, by=request.user)
    mime = transcode.mime_of(request.GET.get("as", "png"))
    is_download = "download" in request.GET
    if mime == "image/png" or found.is_blurred:
        etag = _etag(found)
        if unchanged := get_conditional_response(request, etag=etag):
            return private_file(unchanged)
        answer = picture(found, mime=mime, is_download=is_download)
    else:  # a copy is signed again once its time is there, so only its own bytes name it
        answer = picture(found, mime=mime, is_download=is_download)
        etag = f'"{sha256(answer.content).hexdigest()}"'
        if unchanged := get_conditional_response(request, etag=etag):
            return private_file(unchanged)
    answer["ETag"] = etag
    return private_file(answer)


def picture(
    image: GeneratedImage, *, mime: Mime = "image/png", is_download: bool = False
) -> HttpResponse:
    """Its file, to be shown or kept. Read at once: an ASGI server cannot stream a file's blocking
    iterator."""
    data, mime = picture_files.of_image(image, mime)
    answer = HttpResponse(data, content_type=mime)
    name = picture_files.file_name(image, mime)
    answer["Content-Disposition"] = content_disposition_header(is_download, name) or "inline"
    return answer


@require_safe
@page
def thumbnail(request: SignedIn, image_id: UUID, width: int) -> HttpResponseBase:
    """A released image as small as a sheet of many shows it."""
    if width not in picture_files.THUMBNAIL_WIDTHS:
        raise Http404
    found = own_images.find_released_image(image_id, by=request.user)
    etag = _etag(found, f"-{width}")
    if unchanged := get_conditional_response(request, etag=etag):
        return private_file(unchanged)
    answer = HttpResponse(picture_files.thumbnail(found, width), content_type="image/webp")
    answer["ETag"] = etag
    return private_file(answer)


@require_POST
@page
def download_selected(request: SignedIn) -> HttpResponseBase:
    """The ticked frames that have a file, in one archive."""
    ids = ticked(request)
    if len(ids) > FRAMES_A_SHEET:
        messages.warning(request, f"At most {FRAMES_A_SHEET} frames come in one archive.")
        return redirect("generation:gallery")
    wanted = own_images.released_images(ids, by=request.user)
    if not wanted:
        messages.warning(request, "Tick frames that are released first.")
        return redirect("generation:gallery")
    answer = HttpResponse(picture_files.archive(wanted), content_type="application/zip")
    name = f"proofsheet-{timezone.now():%Y-%m-%d}-{len(wanted)}.zip"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return private_file(answer)


def _etag(image: GeneratedImage, of: str = "") -> str:
    return f'"{image.sha256}{"-blurred" if image.is_blurred else ""}{of}"'
