"""Pages of the gallery: browse, look at one image, make it again, delete it."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from config.core.pages import SignedIn, page, uuid_of
from generation.gallery import own_images, variations
from generation.gallery.gallery_forms import (
    FRAMES_A_SHEET,
    GalleryFilter,
    StrengthForm,
    ticked,
)
from generation.gallery.image_cards import (
    frame_of,
    image_cards,
    made_from,
    neighbours_of,
    numbered,
)
from generation.gallery.refusals import refusals_of
from generation.gallery.shown_credentials import credentials_of
from generation.models import GeneratedImage, ImageState
from generation.request_rules.parameters import RequestParameters, StrengthOutOfRange
from generation.requests import submitting

FURTHER = {"adapter", "size", "seed", "since", "until", "order"}  # folded until one is used


@require_GET
@page
def gallery(request: SignedIn) -> HttpResponse:
    """One's own images, newest first, narrowed by what the address asks; htmx gets the sheet."""
    chosen = uuid_of(request.GET.get("project"))
    mine = own_images.images_of(request.user, chosen)
    form = GalleryFilter(request.GET, mine=mine)
    sheet = Paginator(numbered(form.narrow(mine)), FRAMES_A_SHEET).get_page(request.GET.get("page"))
    given = form.given | ({"project": str(chosen)} if chosen else {})
    context = {
        "form": form,
        "chosen_project": chosen,
        "page": sheet,
        "frames": image_cards(sheet, by=request.user),
        "is_narrowed": bool(given.keys() - {"order"}),
        "further": FURTHER,
        "is_narrowed_further": bool(given.keys() & FURTHER),
        "query": f"{urlencode(given)}&" if given else "",
    }
    template = "generation/gallery.html" + ("#sheet" if request.htmx else "")
    return render(request, template, context)


@require_GET
@page
def image(request: SignedIn, image_id: UUID) -> HttpResponse:
    """One own image with all that made it, its marks and, where it was refused, why."""
    found = own_images.find_image(image_id, by=request.user)
    [card] = image_cards([found], by=request.user)
    context = {
        "image": found,
        "label": card.label,
        "tone": card.tone,
        "number": frame_of(found),
        "is_released": bool(card.file_url),
        "is_for_adults": card.is_for_adults,
        "is_held": found.state == ImageState.HELD,
        "refusal": refusals_of([found.id]).get(found.id),
        "credentials": credentials_of(found.id),
        "strength": StrengthForm()["strength"],
        "made_from": made_from(found),
        "neighbours": neighbours_of(found, own_images.images_of(request.user, found.project_id)),
    }
    return render(request, "generation/image.html", context)


@require_POST
@page
def show(request: SignedIn, image_id: UUID) -> HttpResponse:
    """See a blurred image from now on; public pages go on showing it blurred."""
    own_images.show_image(image_id, by=request.user, at=timezone.now())
    return redirect("generation:image", image_id)


@require_POST
@page
def again(request: SignedIn, image_id: UUID) -> HttpResponse:
    """Asks for an own image once more, with its seed; then the studio shows the request."""
    return _make(request, image_id, keeps_seed=True)


@require_POST
@page
def vary(request: SignedIn, image_id: UUID) -> HttpResponse:
    """Asks for an own image's settings under a new random seed; then the studio."""
    return _make(request, image_id, keeps_seed=False)


@require_POST
@page
def start_from(request: SignedIn, image_id: UUID) -> HttpResponse:
    """A variation of the picture itself, as far from it as `strength` lets it go."""
    found = own_images.find_released_image(image_id, by=request.user)
    form = StrengthForm(request.POST)
    if not form.is_valid():
        raise StrengthOutOfRange
    parameters = variations.variation_of(found, strength=form.cleaned_data["strength"])
    return _submit(request, parameters)


def _make(request: SignedIn, image_id: UUID, *, keeps_seed: bool) -> HttpResponse:
    found = own_images.find_image(image_id, by=request.user)
    return _submit(request, variations.parameters_of(found, keeps_seed=keeps_seed))


def _submit(request: SignedIn, parameters: RequestParameters) -> HttpResponse:
    made = submitting.submit(parameters, by=request.user, at=timezone.now()).request
    return redirect(f"{reverse('generation:studio')}?like={made.id}#sheet")


@require_http_methods(["GET", "POST"])
@page
def delete(request: SignedIn, image_id: UUID) -> HttpResponse:
    """Asks on GET, deletes on POST."""
    found = own_images.find_image(image_id, by=request.user)
    if request.method == "POST":
        own_images.delete_image(found.id, by=request.user, at=timezone.now())
        messages.success(request, "The image is deleted. Its log entry stays, without the picture.")
        return redirect("generation:gallery")
    [frame] = image_cards(numbered(GeneratedImage.objects.filter(id=found.id)), by=request.user)
    return render(request, "generation/image_delete.html", {"frame": frame})


@require_POST
@page
def delete_selected(request: SignedIn) -> HttpResponse:
    """Shows the frames that were ticked in the gallery, and deletes them once confirmed."""
    ids = ticked(request)
    if "confirmed" in request.POST:
        own_images.delete_images(ids, by=request.user, at=timezone.now())
        messages.success(request, "Deleted. The log entries stay, without the pictures.")
        return redirect("generation:gallery")
    mine = own_images.images_of(request.user).filter(id__in=ids)
    frames = image_cards(numbered(mine), by=request.user)
    if not frames:
        messages.warning(request, "Tick the frames to delete first.")
        return redirect("generation:gallery")
    return render(request, "generation/gallery_delete.html", {"frames": frames})
