"""An adapter goes public: its owner asks or takes it back; its example pictures are shown."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from adapters.publishing import examples, review_request
from config.core.pages import SignedIn, page
from moderation.subjects import blurring
from provenance.verify import sightings


class PublishForm(forms.Form):
    """What the owner says when asking for an adapter to become public."""

    licence = forms.CharField(required=False, max_length=200)
    has_consent = forms.BooleanField(required=False)


@require_POST
@page
def publish(request: SignedIn, slug: str) -> HttpResponse:
    """Its owner asks for it to become public."""
    form = PublishForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Licence: {form.errors['licence'][0]}")
        return redirect("adapters:adapter", slug=slug)
    adapter = review_request.ask(slug, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, "Example pictures are made first, then a moderator decides.")
    return redirect(adapter)


@require_POST
@page
def unpublish(request: SignedIn, slug: str) -> HttpResponse:
    """Its owner takes a public one back."""
    return redirect(review_request.unpublish(slug, by=request.user))


@require_GET
@page
def example(request: SignedIn, slug: str, position: int) -> HttpResponse:
    """An example picture, marked and signed as it was delivered, or blurred for everybody."""
    found = examples.find_shown(slug, position, by=request.user)
    with found.file.open("rb") as file:
        data = blurring.blurred(file.read()) if found.is_blurred else file.read()
    return HttpResponse(data, content_type="image/png")


@require_GET
@page
def report(request: SignedIn, slug: str, position: int) -> HttpResponse:
    """To the report of an example, for somebody who can see it."""
    found = examples.find_shown(slug, position, by=request.user)
    if found.image_id is None:
        raise examples.ExampleNotFound
    sighting = sightings.give(found.image_id, at=timezone.now())
    return redirect(f"{reverse('moderation:report')}?{urlencode({'sighting': sighting})}")
