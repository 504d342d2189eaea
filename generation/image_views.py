"""Pages of the gallery: browse, look at one image, make it again, delete it, and its bytes."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from generation import requests, sheets
from generation.cards import (
    IMAGE_LABELS,
    frame_of,
    image_card,
    neighbours_of,
    numbered,
    refusals_of,
)
from generation.credentials import credentials_of
from generation.forms import GalleryFilter
from generation.models import GeneratedImage, ImageState
from generation.views import SignedIn, page, private_file, uuid_of

FRAMES_A_SHEET = 24


@require_GET
@page
def gallery(request: SignedIn) -> HttpResponse:
    mine = requests.images_of(request.user)
    models = mine.order_by("model_name").values_list("model_slug", "model_name").distinct()
    form = GalleryFilter(request.GET, models=list(models))
    wanted = form.cleaned_data if form.is_valid() else {}
    sheet = Paginator(numbered(form.narrow(mine)), FRAMES_A_SHEET).get_page(request.GET.get("page"))
    given = {name: value for name, value in wanted.items() if value}
    context = {
        "form": form,
        "page": sheet,
        "frames": [image_card(image) for image in sheet],
        "is_narrowed": bool(given),
        "query": f"{urlencode(given)}&" if given else "",
    }
    template = "generation/gallery.html" + ("#sheet" if request.htmx else "")
    return render(request, template, context)


@require_GET
@page
def image(request: SignedIn, image_id: UUID) -> HttpResponse:
    found = requests.find_image(image_id, by=request.user)
    label, tone = IMAGE_LABELS[found.state]
    context = {
        "image": found,
        "label": label,
        "tone": tone,
        "number": frame_of(found),
        "is_released": found.state == ImageState.RELEASED and bool(found.file),
        "is_held": found.state == ImageState.HELD,
        "refusal": refusals_of([found.id]).get(found.id),
        "credentials": credentials_of(found.id),
        "neighbours": neighbours_of(found, requests.images_of(request.user)),
    }
    return render(request, "generation/image.html", context)


@require_safe
@page
def image_file(request: SignedIn, image_id: UUID) -> HttpResponseBase:
    """The bytes of a released image, for its owner alone; reviewers reveal one on its case."""
    found = requests.find_released_image(image_id, by=request.user)
    etag = f'"{found.sha256}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return private_file(unchanged)
    answer = picture(found, is_download="download" in request.GET)
    answer["ETag"] = etag
    return private_file(answer)


def picture(image: GeneratedImage, *, is_download: bool = False) -> HttpResponse:
    """The stored PNG, read at once: an ASGI server cannot stream a file's blocking iterator."""
    with image.file.open("rb") as file:
        answer = HttpResponse(file.read(), content_type="image/png")
    said = content_disposition_header(is_download, f"proofsheet-{image.id}.png")
    answer["Content-Disposition"] = said or "inline"
    return answer


@require_POST
@page
def again(request: SignedIn, image_id: UUID) -> HttpResponse:
    return _make(request, image_id, keeps_seed=True)


@require_POST
@page
def vary(request: SignedIn, image_id: UUID) -> HttpResponse:
    return _make(request, image_id, keeps_seed=False)


def _make(request: SignedIn, image_id: UUID, *, keeps_seed: bool) -> HttpResponse:
    found = requests.find_image(image_id, by=request.user)
    draft = sheets.draft_of(found, keeps_seed=keeps_seed)
    made = requests.submit(draft, by=request.user, at=timezone.now()).request
    return redirect(f"{reverse('generation:studio')}?like={made.id}#sheet")


@require_http_methods(["GET", "POST"])
@page
def delete(request: SignedIn, image_id: UUID) -> HttpResponse:
    """Asks on GET, deletes on POST."""
    found = requests.find_image(image_id, by=request.user)
    if request.method == "POST":
        requests.delete_image(found.id, by=request.user, at=timezone.now())
        messages.success(request, "The image is deleted. Its log entry stays, without the picture.")
        return redirect("generation:gallery")
    [frame] = numbered(GeneratedImage.objects.filter(id=found.id))
    return render(request, "generation/delete.html", {"frame": image_card(frame)})


@require_POST
@page
def delete_selected(request: SignedIn) -> HttpResponse:
    """Shows the frames that were ticked in the gallery, and deletes them once confirmed."""
    ids = [image_id for text in request.POST.getlist("frame") if (image_id := uuid_of(text))]
    if "confirmed" in request.POST:
        sheets.delete_all(ids, by=request.user, at=timezone.now())
        messages.success(request, "Deleted. The log entries stay, without the pictures.")
        return redirect("generation:gallery")
    mine = requests.images_of(request.user).filter(id__in=ids)
    frames = [image_card(frame) for frame in numbered(mine)]
    if not frames:
        messages.warning(request, "Tick the frames to delete first.")
        return redirect("generation:gallery")
    return render(request, "generation/delete_selected.html", {"frames": frames})
